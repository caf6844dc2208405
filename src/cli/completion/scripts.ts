/** Scripts that teach shells to complete commands: they call `cox completion words` with the words typed so far. */

export type Shell = "bash" | "zsh" | "fish";

export const scripts: Readonly<Record<Shell, string>> = {
	bash: `# Completion for bash. In ~/.bashrc: eval "$(cox completion bash)"
_cox() {
	local current="\${COMP_WORDS[COMP_CWORD]}" value
	COMPREPLY=()
	while IFS=$'\\t' read -r value _; do
		[[ $value == "$current"* ]] && COMPREPLY+=("$value")
	done < <("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}
complete -o default -F _cox cox coxswain
`,
	zsh: `#compdef cox coxswain
# Completion for zsh. In ~/.zshrc, after compinit: eval "$(cox completion zsh)"
_cox() {
	local -a candidates
	local value description
	while IFS=$'\\t' read -r value description; do
		candidates+=("\${value//:/\\\\:}\${description:+:$description}")
	done < <("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
	if (( $#candidates )); then _describe cox candidates; else _files; fi
}
if [[ $funcstack[1] == _cox ]]; then _cox "$@"; else compdef _cox cox coxswain; fi
`,
	fish: `# Completion for fish. In ~/.config/fish/config.fish: cox completion fish | source
function __cox_candidates
	set -l words (commandline --tokenize --cut-at-cursor --current-process)
	set -l program $words[1]
	set --erase words[1]
	set -l current (commandline --current-token --cut-at-cursor)
	$program completion words -- $words "$current" 2> /dev/null
end
complete --command cox --arguments '(__cox_candidates)'
complete --command coxswain --arguments '(__cox_candidates)'
`,
};
