#!/bin/sh
# Written by 'cox envtest'
# The first kubectl on PATH in another folder: this one may be on PATH, too.
here=$(CDPATH= cd -- "${0%/*}" && pwd -P)
IFS=:
for folder in $PATH; do
	[ -x "$folder/kubectl" ] || continue
	[ "$(CDPATH= cd -- "$folder" && pwd -P)" = "$here" ] || exec "$folder/kubectl" "$@"
done
echo 'kubectl is not on your PATH: https://kubernetes.io/docs/tasks/tools/#kubectl' >&2
exit 127
