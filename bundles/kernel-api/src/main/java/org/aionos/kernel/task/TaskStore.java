package org.aionos.kernel.task;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tasks on disk, the calls each has made, and the mail between agents. What a method returned
 * survives {@code kill -9}. Safe for use by many threads. Every method throws {@link
 * StoreUnavailable} if what keeps it does not answer.
 *
 * <p><b>Nodes.</b> Several kernels may share one store. A task that has not ended is held by one
 * node at most: the node that has claimed it and renews its claims. Whatever a node writes of a
 * task that it no longer holds is refused, so a node that was given up for dead changes nothing.
 */
@ConsumerType
public interface TaskStore extends AutoCloseable {

  /**
   * Keeps a task, unless there is one of that key.
   *
   * @return the task that is there now: the given one exactly if it was added
   */
  Row add(Row row);

  Optional<Row> find(Key key);

  /**
   * Puts a task in the place of its former revision.
   *
   * @param row whose revision is one more than the stored one; whose {@code node} holds it now. A
   *     task that has ended is held by nobody
   * @return false if another revision is stored: somebody else has changed or claimed it
   */
  boolean replace(Row row);

  /** Takes a task that has ended away, with its log. */
  void remove(Key key);

  /**
   * Tasks that match, the newest first.
   *
   * @param after the {@link Page#next} of the page before; null for the first page
   * @param limit at most so many, and 1,000
   */
  Page list(Filter filter, @Nullable String after, int limit);

  /** Tasks that wait to run, of all nodes, held or not. */
  Map<Tier, Long> waiting();

  /** Tasks of a tenant that have not ended, of all nodes, held or not. */
  long unended(String tenant);

  /**
   * Gives a node tasks that have not ended and that no living node holds, each with its revision
   * raised by one. Of each queue the tenants take turns, the oldest task of each first.
   *
   * @param node a name that no kernel has had before, not even this one before a restart
   * @param most at most so many of each queue; none of one that is not named
   */
  List<Row> claim(String node, Map<Tier, Integer> most);

  /** As {@link #claim(String, Map)}, with the same bound for each queue. */
  default List<Row> claim(String node, int perTierMax) {
    return claim(
        node, Map.of(Tier.HIGH, perTierMax, Tier.NORMAL, perTierMax, Tier.LOW, perTierMax));
  }

  /** Who holds a task; empty if nobody does. */
  Optional<Hold> holder(Key key);

  /** Says that a node lives. To be called at least every {@link #claimMillis} / 3. */
  void renew(String node);

  /** So long after its last sign of life a node's tasks are others' to claim. */
  long claimMillis();

  /**
   * Adds an entry to the log of a task.
   *
   * @param node that holds it
   * @return how many entries the log has now; -1 if the node does not hold the task
   */
  int append(Key key, String node, byte[] entry);

  /** The log of a task, the oldest entry first. Empty for an unknown task. */
  List<byte[]> log(Key key);

  /**
   * Shortens the log of a task to its first entries.
   *
   * @param node that holds it
   * @return false if the node does not hold it
   */
  boolean cut(Key key, String node, int entries);

  /**
   * Puts a message into a box.
   *
   * @param countMax of messages that the box may hold
   * @return its number, greater than that of every earlier one; -1 if the box is full
   */
  long post(String box, byte[] message, int countMax);

  /** The oldest messages of a box that nobody has thrown away. */
  List<Message> mail(String box, int max);

  /** Throws messages away, up to and with a number. */
  void discard(String box, long through);

  @Override
  void close();

  /** Names a task: tenants do not see each other's names. */
  record Key(String tenant, String id) {
    public Key {
      requireNonNull(tenant, "tenant");
      requireNonNull(id, "id");
    }

    @Override
    public String toString() {
      return tenant + "/" + id;
    }
  }

  /**
   * One task as it is kept.
   *
   * @param agent name of the agent, within the tenant
   * @param submittedMillis since 1970
   * @param revision 1 for a new task, one more with each change
   * @param node that holds it; null for none
   * @param document everything else, for the scheduler alone to read
   */
  record Row(
      Key key,
      String agent,
      Tier tier,
      TaskState state,
      long submittedMillis,
      long revision,
      @Nullable String node,
      byte[] document) {}

  /**
   * What to list; null for any.
   *
   * @param agent name of the agent, within the tenant
   */
  record Filter(
      @Nullable String tenant,
      @Nullable String agent,
      @Nullable TaskState state,
      @Nullable Tier tier) {}

  /**
   * @param next what to ask as {@code after} for the next page; null at the end
   */
  record Page(List<Row> rows, @Nullable String next) {}

  record Message(long number, byte[] bytes) {}

  /**
   * @param heldMillis for so long; 0 if that is not known
   * @param lives false if the task is others' to claim, for the node is lost
   */
  record Hold(String node, long heldMillis, boolean lives) {}
}
