#!/bin/sh
# Stands in for the backup tool of the course notes: dumps a real database where it is told of one, otherwise plays it.
database=mydb
while [ $# -gt 0 ]; do
	case $1 in
	--database) database=$2; shift ;;
	--database=*) database=${1#*=} ;;
	esac
	shift
done
target=${BACKUP_DIR:-/tmp}/$database-$(date -u +%Y%m%d-%H%M%S).sql
echo "backup-script.sh: Coxswain's stand-in backs up database $database"
if [ -n "$MYSQL_HOST" ] && command -v mysqldump >/dev/null; then
	mysqldump --host="$MYSQL_HOST" --user="${MYSQL_USER:-root}" --password="${MYSQL_PASSWORD:-$MYSQL_ROOT_PASSWORD}" "$database" >"$target" || exit 1
else
	sleep 1
	echo "-- no MYSQL_HOST given: nothing was dumped" >"$target"
fi
echo "wrote $target ($(wc -c <"$target") bytes)"
