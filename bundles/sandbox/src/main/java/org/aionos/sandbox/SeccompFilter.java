package org.aionos.sandbox;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.sandbox.SeccompProfile.Comparison;
import org.aionos.sandbox.SeccompProfile.Rule;

/**
 * A seccomp profile as the classic BPF program that Linux runs at each system call of the tool, for
 * x86_64.
 *
 * <p>The program looks at {@code struct seccomp_data}: number, architecture, then six arguments of
 * 64 bits each. BPF knows 32 bits, so an argument is looked at in two halves: whoever compares the
 * lower half alone is fooled by a caller who sets a bit in the upper one.
 */
final class SeccompFilter {

  private static final int NUMBER_AT = 0;
  private static final int ARCHITECTURE_AT = 4;
  private static final int ARGUMENTS_AT = 16;

  private static final int X86_64 = 0xc000003e;

  /** Numbers from here on are the x32 variant of the interface, which no tool needs. */
  private static final int X32_BIT = 0x40000000;

  private static final int NO_SUCH_CALL = 0x00050000 | 38;

  private static final int LOAD = 0x20;
  private static final int IF_EQUAL = 0x15;
  private static final int IF_GREATER = 0x25;
  private static final int IF_GREATER_OR_EQUAL = 0x35;
  private static final int JUMP = 0x05;
  private static final int AND = 0x54;
  private static final int RETURN = 0x06;

  /** A jump out of the rule that is being written; its length is known once the rule is. */
  private static final int OUT = -1;

  private static final int SHORT_JUMP_MAX = 255;

  /** BPF_MAXINSNS of Linux. */
  private static final int LENGTH_MAX = 4_096;

  private record Instruction(int code, int ifTrue, int ifFalse, int operand) {}

  private final SeccompProfile profile;
  private final List<Instruction> program = new ArrayList<>();

  private SeccompFilter(SeccompProfile profile) {
    this.profile = profile;
  }

  /**
   * Compiles a profile to an array of {@code struct sock_filter}.
   *
   * @throws IllegalArgumentException if it is too long for Linux
   */
  static byte[] of(SeccompProfile profile) {
    return new SeccompFilter(profile).compiled();
  }

  private byte[] compiled() {
    load(program, ARCHITECTURE_AT);
    // A call by another architecture's door (int 0x80) has other numbers: nothing below fits it.
    jump(program, IF_EQUAL, X86_64, 1, 0);
    answer(program, SeccompProfile.KILL_PROCESS);
    load(program, NUMBER_AT);
    jump(program, IF_GREATER_OR_EQUAL, X32_BIT, 0, 1);
    answer(program, NO_SUCH_CALL);
    rulesByNumber().forEach(this::call);
    answer(program, profile.otherwise());
    if (program.size() > LENGTH_MAX) {
      throw new IllegalArgumentException(
          "the profile makes " + program.size() + " instructions; Linux takes " + LENGTH_MAX);
    }
    return bytes();
  }

  private Map<Integer, List<Rule>> rulesByNumber() {
    Map<Integer, List<Rule>> rules = new TreeMap<>();
    for (Rule rule : profile.rules()) {
      for (String name : rule.names()) {
        Integer number = SystemCalls.number(name);
        // Profiles are shared between architectures: a name that this one does not have is no call.
        if (number != null) {
          rules.computeIfAbsent(number, none -> new ArrayList<>()).add(rule);
        }
      }
    }
    return rules;
  }

  /**
   * Every way through the block of a call ends in an answer, so nothing below sees its registers.
   */
  private void call(int number, List<Rule> rules) {
    List<Instruction> block = new ArrayList<>();
    Rule unconditional =
        rules.stream().filter(rule -> rule.arguments().isEmpty()).findFirst().orElse(null);
    if (unconditional != null) {
      answer(block, unconditional.action());
    } else {
      rules.forEach(rule -> block.addAll(conditional(rule)));
      answer(block, profile.otherwise());
    }
    if (block.size() <= SHORT_JUMP_MAX) {
      jump(program, IF_EQUAL, number, 0, block.size());
    } else {
      jump(program, IF_EQUAL, number, 1, 0);
      program.add(new Instruction(JUMP, 0, 0, block.size()));
    }
    program.addAll(block);
  }

  private static List<Instruction> conditional(Rule rule) {
    List<Instruction> block = new ArrayList<>();
    rule.arguments().forEach(argument -> compare(block, argument));
    answer(block, rule.action());
    for (int i = 0; i < block.size(); i++) {
      Instruction each = block.get(i);
      int out = block.size() - i - 1;
      block.set(
          i,
          new Instruction(
              each.code,
              each.ifTrue == OUT ? out : each.ifTrue,
              each.ifFalse == OUT ? out : each.ifFalse,
              each.operand));
    }
    return block;
  }

  private static void compare(List<Instruction> block, Comparison argument) {
    int low = ARGUMENTS_AT + Long.BYTES * argument.index();
    int high = low + Integer.BYTES;
    int valueLow = (int) argument.value();
    int valueHigh = (int) (argument.value() >>> Integer.SIZE);
    load(block, high);
    switch (argument.operator()) {
      case EQ -> {
        jump(block, IF_EQUAL, valueHigh, 0, OUT);
        load(block, low);
        jump(block, IF_EQUAL, valueLow, 0, OUT);
      }
      case NE -> {
        jump(block, IF_EQUAL, valueHigh, 0, 2);
        load(block, low);
        jump(block, IF_EQUAL, valueLow, OUT, 0);
      }
      case MASKED_EQ -> {
        block.add(new Instruction(AND, 0, 0, valueHigh));
        jump(block, IF_EQUAL, (int) (argument.valueTwo() >>> Integer.SIZE), 0, OUT);
        load(block, low);
        block.add(new Instruction(AND, 0, 0, valueLow));
        jump(block, IF_EQUAL, (int) argument.valueTwo(), 0, OUT);
      }
      case GE, GT -> {
        boolean orEqual = argument.operator() == SeccompProfile.Operator.GE;
        jump(block, IF_GREATER, valueHigh, 3, 0);
        jump(block, IF_EQUAL, valueHigh, 0, OUT);
        load(block, low);
        jump(block, orEqual ? IF_GREATER_OR_EQUAL : IF_GREATER, valueLow, 0, OUT);
      }
      case LT, LE -> {
        boolean orEqual = argument.operator() == SeccompProfile.Operator.LE;
        jump(block, IF_GREATER, valueHigh, OUT, 0);
        jump(block, IF_EQUAL, valueHigh, 0, 2);
        load(block, low);
        jump(block, orEqual ? IF_GREATER : IF_GREATER_OR_EQUAL, valueLow, OUT, 0);
      }
    }
  }

  private static void load(List<Instruction> block, int offset) {
    block.add(new Instruction(LOAD, 0, 0, offset));
  }

  private static void jump(
      List<Instruction> block, int condition, int operand, int ifTrue, int ifFalse) {
    block.add(new Instruction(condition, ifTrue, ifFalse, operand));
  }

  private static void answer(List<Instruction> block, int action) {
    block.add(new Instruction(RETURN, 0, 0, action));
  }

  private byte[] bytes() {
    ByteBuffer bytes =
        ByteBuffer.allocate(program.size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (Instruction each : program) {
      bytes
          .putShort((short) each.code)
          .put((byte) each.ifTrue)
          .put((byte) each.ifFalse)
          .putInt(each.operand);
    }
    return bytes.array();
  }
}
