/*
 * calculate: the value of an arithmetic expression.
 *
 * A WASI command: the call comes on standard input, the answer goes to standard output, one JSON object each
 * (docs/wasm-tools.md). Nothing else is needed, so nothing else is imported.
 *
 *   sum     = product (('+' | '-') product)*
 *   product = sign (('*' | '/' | '%') sign)*
 *   sign    = ('+' | '-') sign | power
 *   power   = value ('^' sign)?                      right to left, and before a sign: -2^2 is -4
 *   value   = number | constant | function '(' sum (',' sum)* ')' | '(' sum ')'
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_BYTES_MAX = 65536, DEPTH_MAX = 200, ARGUMENTS_MAX = 16 };

static char call[CALL_BYTES_MAX + 1];
static char expression[CALL_BYTES_MAX + 1];
static const char *at;
static int depth;

static double sum(void);

static void fail(const char *message) {
  printf("{\"failure\":{\"code\":\"BAD_ARGUMENT\",\"message\":\"%s\"}}", message);
  exit(0);
}

static void fail_here(const char *wanted) {
  char message[128];
  snprintf(message, sizeof message, "%s at character %d of the expression", wanted, (int)(at - expression) + 1);
  fail(message);
}

static void skip(void) { while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++; }

static int take(char wanted) {
  skip();
  if (*at != wanted) return 0;
  at++;
  return 1;
}

static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

static double apply(const char *name, const double *a, int count) {
  static const struct { const char *name; double (*of)(double); } functions[] = {
    {"sqrt", sqrt}, {"abs", fabs}, {"floor", floor}, {"ceil", ceil}, {"round", round}, {"exp", exp}, {"ln", log},
    {"log10", log10}, {"log2", log2}, {"sin", sin}, {"cos", cos}, {"tan", tan}, {"asin", asin}, {"acos", acos}, {"atan", atan},
  };
  for (unsigned i = 0; count == 1 && i < sizeof functions / sizeof *functions; i++) {
    if (strcmp(name, functions[i].name) == 0) return functions[i].of(a[0]);
  }
  int smallest = strcmp(name, "min") == 0;
  if (!smallest && strcmp(name, "max") != 0) fail_here("no such function, or the wrong number of arguments,");
  double best = a[0];
  for (int i = 1; i < count; i++) best = smallest ? fmin(best, a[i]) : fmax(best, a[i]);
  return best;
}

static double named(void) {
  char name[16];
  int length = 0;
  while (is_letter(*at) && length < (int)sizeof name - 1) name[length++] = *at++;
  name[length] = 0;
  if (!take('(')) {
    if (strcmp(name, "pi") == 0) return M_PI;
    if (strcmp(name, "e") == 0) return M_E;
    fail_here("no such constant");
  }
  double arguments[ARGUMENTS_MAX];
  int count = 0;
  do {
    if (count == ARGUMENTS_MAX) fail_here("too many arguments");
    arguments[count++] = sum();
  } while (take(','));
  if (!take(')')) fail_here("a ) is missing");
  return apply(name, arguments, count);
}

static double value(void) {
  skip();
  if (take('(')) {
    double inside = sum();
    if (!take(')')) fail_here("a ) is missing");
    return inside;
  }
  if ((*at >= '0' && *at <= '9') || *at == '.') {
    char *end;
    double number = strtod(at, &end);
    if (end == at) fail_here("a number is malformed");
    at = end;
    return number;
  }
  if (*at >= 'a' && *at <= 'z') return named();
  fail_here("a number is missing");
  return 0;
}

static double sign(void) {
  if (++depth > DEPTH_MAX) fail("the expression is nested too deep");
  double result;
  if (take('-')) result = -sign();
  else if (take('+')) result = sign();
  else {
    result = value();
    if (take('^')) result = pow(result, sign());
  }
  depth--;
  return result;
}

static double product(void) {
  double result = sign();
  for (;;) {
    if (take('*')) result *= sign();
    else if (take('/')) result /= sign();
    else if (take('%')) result = fmod(result, sign());
    else return result;
  }
}

static double sum(void) {
  double result = product();
  for (;;) {
    if (take('+')) result += product();
    else if (take('-')) result -= product();
    else return result;
  }
}

/* Finds the text of arguments.expression. The kernel writes the call, compact, and checks it against the schema first. */
static void find_expression(void) {
  static const char name[] = "\"arguments\":{\"expression\":\"";
  const char *from = strstr(call, name);
  if (!from) fail("argument 'expression' must be text, and come alone");
  char *to = expression;
  for (from += sizeof name - 1; *from && *from != '"'; from++) {
    if (*from == '\\' && *++from != '"' && *from != '\\' && *from != '/') *to++ = ' '; /* \n, \t: white space */
    else *to++ = *from;
  }
  *to = 0;
}

int main(void) {
  size_t length = fread(call, 1, CALL_BYTES_MAX + 1, stdin);
  if (length > CALL_BYTES_MAX) fail("the expression is too long");
  call[length] = 0;
  find_expression();
  at = expression;
  double result = sum();
  skip();
  if (*at) fail_here("something is left over");
  if (isnan(result) || isinf(result)) fail("the expression has no finite value");
  printf("{\"result\":{\"value\":%.15g}}", result);
  return 0;
}
