"""Completion scripts, made from the parser, so that they know every word it knows."""

BASH = """_exfm() {{
    local words="" path="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "${{path}}${{path:+ }}$word" in
            {paths}) path="${{path}}${{path:+ }}$word" ;;
        esac
    done
    case "$path" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
    [ ${{#COMPREPLY[@]}} -gt 0 ] || COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _exfm exfm"""

ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def script(shell: str, tree: dict[str, list[str]]) -> str:
    """Return the script for a shell; zsh reads bash's."""
    paths = "|".join(f'"{path}"' for path in tree if path)
    cases = "\n".join(f'        "{path}") words="{" ".join(words)}" ;;' for path, words in tree.items())
    text = BASH.format(paths=paths, cases=cases)
    return ZSH + text if shell == "zsh" else text
