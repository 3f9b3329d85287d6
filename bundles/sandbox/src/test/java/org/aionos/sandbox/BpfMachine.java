package org.aionos.sandbox;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Runs a seccomp filter as Linux does, on one system call. */
final class BpfMachine {

  static final int X86_64 = 0xc000003e;

  private BpfMachine() {}

  static int run(byte[] filter, int architecture, int number, long[] arguments) {
    ByteBuffer program = ByteBuffer.wrap(filter).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer call = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    call.putInt(number).putInt(architecture).putLong(0x400000L);
    for (long argument : arguments) {
      call.putLong(argument);
    }
    int register = 0;
    int next = 0;
    while (true) {
      int at = next++ * Long.BYTES;
      int code = program.getShort(at) & 0xffff;
      int ifTrue = program.get(at + 2) & 0xff;
      int ifFalse = program.get(at + 3) & 0xff;
      int operand = program.getInt(at + 4);
      switch (code) {
        case 0x20 -> register = call.getInt(operand);
        case 0x15 -> next += register == operand ? ifTrue : ifFalse;
        case 0x25 -> next += Integer.compareUnsigned(register, operand) > 0 ? ifTrue : ifFalse;
        case 0x35 -> next += Integer.compareUnsigned(register, operand) >= 0 ? ifTrue : ifFalse;
        case 0x05 -> next += operand;
        case 0x54 -> register &= operand;
        case 0x06 -> {
          return operand;
        }
        default -> throw new AssertionError("instruction " + Integer.toHexString(code));
      }
    }
  }
}
