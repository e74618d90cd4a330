# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
#
# Completion of annexctl(1) for bash.  Domains are the control sockets that
# are there; commands of a component are what it answers to "help".

_annexctl_run_dir()
{
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == --run-dir ]]; then
			printf '%s\n' "${COMP_WORDS[i + 1]}"
			return
		fi
	done
	printf '/run/annex\n'
}

_annexctl_domains()
{
	local socket dir
	dir=$(_annexctl_run_dir)

	for socket in "$dir"/*.sock; do
		socket=${socket##*/}
		[[ $socket == '*.sock' || $socket == annexd.sock ]] || printf '%s\n' "${socket%.sock}"
	done
}

_annexctl_component_commands()
{
	annexctl --run-dir "$(_annexctl_run_dir)" "$1" help 2>/dev/null | while read -r node _; do
		printf '%s\n' "$node"
	done
}

_annexctl_fields()
{
	annexctl --run-dir "$(_annexctl_run_dir)" "$1" help "$2" 2>/dev/null | tail -n +2 |
		while read -r field _; do
			printf '%s=\n' "$field"
		done
}

# The words that are no options, without the one being completed.
_annexctl_words()
{
	local i

	words=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | --run-dir) ((i++)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
}

_annexctl_store()
{
	case $1 in
	'') COMPREPLY=($(compgen -W 'backup restore verify export import stat' -- "$cur")) ;;
	backup | restore | verify | export | import) COMPREPLY=($(compgen -f -- "$cur")) ;;
	esac
}

_annexctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words

	COMPREPLY=()
	case $prev in
	-c | --config)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--run-dir)
		COMPREPLY=($(compgen -d -- "$cur"))
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W '--config --run-dir --json --bodies --version --help' -- "$cur"))
		return
	fi
	_annexctl_words
	case ${#words[@]}:${words[0]-} in
	0:*)
		COMPREPLY=($(compgen -W "status reload restart drain store $(_annexctl_domains)" -- "$cur"))
		return
		;;
	1:restart | 1:drain)
		COMPREPLY=($(compgen -W "$(_annexctl_domains)" -- "$cur"))
		return
		;;
	1:store)
		_annexctl_store ''
		return
		;;
	2:store)
		COMPREPLY=($(compgen -W "$(_annexctl_domains)" -- "$cur"))
		return
		;;
	3:store)
		_annexctl_store "${words[1]}"
		return
		;;
	*:status | *:reload | *:restart | *:drain | *:store)
		return
		;;
	1:*)
		COMPREPLY=($(compgen -W "restart drain trace store help status $(_annexctl_component_commands "${words[0]}")" -- "$cur"))
		return
		;;
	esac
	case ${words[1]} in
	store) _annexctl_store "${words[2]-}" ;;
	trace | drain | restart | status) ;;
	help) COMPREPLY=($(compgen -W "$(_annexctl_component_commands "${words[0]}")" -- "$cur")) ;;
	*) COMPREPLY=($(compgen -W "$(_annexctl_fields "${words[0]}" "${words[1]}")" -- "$cur")) ;;
	esac
}

complete -F _annexctl annexctl
