/* The tool @NAME@: a WASI command. The call comes on standard input, the answer goes to standard output; see docs/wasm-tools.md of AION-OS. */
#include <stdio.h>
#include <string.h>

static char call[1 << 20];

int main(void) {
  size_t length = fread(call, 1, sizeof call - 1, stdin);
  call[length] = 0;
  const char *at = strstr(call, "\"text\":\"");
  int words = 0, inside = 0;
  for (at = at ? at + 8 : ""; *at && *at != '"'; at++) {
    int space = *at == ' ';
    if (*at == '\\' && *++at != '"' && *at != '\\' && *at != '/' && *at != 'u') space = 1; /* \n, \t and the like */
    words += !space && !inside;
    inside = !space;
  }
  if (words == 0) printf("{\"failure\":{\"code\":\"BAD_ARGUMENT\",\"message\":\"the text has no words\"}}");
  else printf("{\"result\":{\"words\":%d}}", words);
  return 0;
}
