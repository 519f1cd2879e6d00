#!/bin/sh
# A small MCP server. It answers `initialize`, has three tools, and misbehaves as its argument says.
case $1 in
  ends) echo 'Traceback: no key' >&2; exit 3 ;;
  missing) exec /does/not/exist ;;
  silent) exec sleep 600 ;;
  flood) (while :; do echo 'a line of the log, again and again and again' >&2; done) & ;;
  stubborn) trap '' TERM ;;
  family) sleep 600 & (setsid sleep 0; exec sleep 601) & ;;
esac

reply() {
  printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"
}

answer() {
  while read -r line; do
    id=${line#*'"id":'}
    id=${id%%[,\}]*}
    case $line in
      *'"server/discover"'*)
        [ "$1" = deaf ] ||
          printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown method"}}\n' "$id"
        ;;
      *'"initialize"'*)
        [ "$1" != chatty ] || printf 'starting…\n{"level":"info","message":"a log"}\n42\n'
        reply '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"tool","version":"1"}}'
        ;;
      *'"tools/list"'*)
        reply '{"tools":[{"name":"show","inputSchema":{"type":"object"}},{"name":"end","inputSchema":{"type":"object"}},{"name":"wait","inputSchema":{"type":"object"}}]}'
        ;;
      *'"end"'*) echo 'ended on request' >&2; exit 4 ;;
      *'"wait"'*) ;;
      *'"tools/call"'*)
        reply "{\"content\":[{\"type\":\"text\",\"text\":\"$$ $PWD ${KEY-none} ${CARGO_MANIFEST_DIR-none}\"}]}"
        ;;
    esac
  done
}

answer "$1"
# The input has ended.
[ "$1" != stubborn ] || while :; do sleep 600; done
