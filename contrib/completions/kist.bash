# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of kist for bash.  Commands, options and the words of choices come from the tables of the program itself
# (`kist __options`: tab-separated lines), so nothing here changes when they do.

# _kist_arguments KIND WORD: candidates for an option's argument, by what the help text calls it.
_kist_arguments() {
	case $1 in
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$2") ;;
	DIR) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	FILE | SOCKET | LOG) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	CAPABILITY) mapfile -t COMPREPLY < <(compgen -W "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_ADMIN \
		CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SYS_ADMIN CAP_SYS_PTRACE" -- "$2") ;;
	esac
}

_kist() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} previous='' command=kist kind='' count=0 i
	local table
	local -a root=()

	COMPREPLY=()
	table=$("$program" __options 2>/dev/null) || return

	# What stands before: the command, how many arguments follow it, and the option whose value is typed now.
	for ((i = 1; i < COMP_CWORD; i++)); do
		local this=${COMP_WORDS[i]}
		if [ "$this" = = ]; then # bash splits words at "="
			continue
		elif [ -n "$kind" ]; then
			[ "$previous" != --root ] || root=(--root "$this")
			kind=''
		elif [[ $this == -* ]]; then
			previous=$this
			kind=$(awk -F '\t' -v c="$command" -v o="$this" \
				'$1 == "option" && $2 == c && ($3 == o || $4 == o) && $5 != "-" { print $5 }' <<<"$table")
			# A value that may be left out must follow a "=".
			[[ $kind != =* || ${COMP_WORDS[i + 1]} == = ]] || kind=''
			kind=${kind#=}
		elif [ "$command" = kist ]; then
			command=$this
		else
			count=$((count + 1))
		fi
	done
	[ "$word" != = ] || word=''
	if [ -n "$kind" ]; then
		_kist_arguments "$kind" "$word"
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk -F '\t' -v c="$command" \
			'$1 == "option" && $2 == c && $3 != "-" { print $3 }' <<<"$table")" -- "$word")
	elif [ "$command" = kist ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk -F '\t' '$1 == "command" { print $2 }' <<<"$table")" -- "$word")
	elif [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk -F '\t' '$1 == "command" { print $2 }' <<<"$table")" -- "$word")
	elif [ "$command" = kill ] && [ "$count" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "TERM KILL HUP INT QUIT USR1 USR2 STOP CONT WINCH" -- "$word")
	elif [ "$command" = exec ] && [ "$count" -ge 1 ]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	elif [ "$count" -eq 0 ] && [[ $command != @(create|run) ]] &&
		awk -F '\t' -v c="$command" '$1 == "command" && $2 == c && $4 ~ /^ID/ { f = 1 } END { exit !f }' <<<"$table"; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" "${root[@]}" list -q 2>/dev/null)" -- "$word")
	fi
}

complete -F _kist kist
