package org.aionos.scheduling;

/** Prints how many bytes a waiting job takes, with its key and its part of tenants and agents. */
final class Footprint {

  private static final int SLOTS = 8;

  private Footprint() {}

  public static void main(String[] arguments) {
    long before = used();
    Backlog backlog = new Backlog(SLOTS);
    long bytes = (used() - before) / Backlog.WAITING;
    System.out.println(
        "waiting    "
            + bytes
            + " bytes a job, with its strings and its part of tenants and agents");
    backlog.idle();
  }

  private static long used() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
