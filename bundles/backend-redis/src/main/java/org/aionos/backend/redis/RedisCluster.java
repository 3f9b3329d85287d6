package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lettuce.core.KeyValue;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.aionos.kernel.memory.StoreDriver.Opening;
import org.aionos.kernel.task.Cluster;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/**
 * What nodes know together, in the Redis server that the environment names. Counting is done by
 * scripts, each alone and whole, so that no two nodes draw the same.
 *
 * <p>Enabled by {@link ClusterSwitch} where there is such a server.
 */
@Component(service = Cluster.class, name = RedisCluster.NAME, enabled = false)
public final class RedisCluster implements Cluster {

  static final String NAME = "org.aionos.backend.redis.RedisCluster";

  /** Calls wait for it, and are refused if it is slower: a server near by answers in 1 ms. */
  private static final Duration TIMEOUT_MAX = Duration.ofSeconds(1);

  /** Up to twice this a script counts every whole number. */
  private static final long AMOUNT_MAX = 1L << 52;

  private static final Script DRAW = Script.thatGrows("cluster-draw.lua");
  private static final Script GIVE_BACK = Script.thatOnlyTakes("cluster-give-back.lua");
  private static final Script PUT = Script.thatGrows("cluster-put.lua");

  private static final byte[] NUMBER = text("number");
  private static final byte[] BYTES = text("bytes");

  private final RedisLink link;

  /**
   * @throws IllegalArgumentException if the environment cannot be right
   */
  @Activate
  public RedisCluster() {
    this(RedisAddress.link(opening(System.getenv()), "the cluster"));
  }

  RedisCluster(RedisLink link) {
    this.link = link;
  }

  static Opening opening(Map<String, String> environment) {
    String caFile = set(environment, "REDIS_CA_FILE");
    return new Opening(
        "cluster",
        environment.getOrDefault("REDIS_URL", ""),
        "",
        set(environment, "REDIS_USER"),
        set(environment, "REDIS_PASSWORD"),
        caFile == null ? null : Path.of(caFile),
        TIMEOUT_MAX,
        Path.of(""));
  }

  private static @Nullable String set(Map<String, String> environment, String name) {
    String value = environment.get(name);
    return value == null || value.isEmpty() ? null : value;
  }

  @Override
  public boolean isNew(String set, String member, Duration kept) {
    byte[] key = text("aion:seen:" + set.replace("%", "%25").replace(":", "%3A") + ":" + member);
    SetArgs once = SetArgs.Builder.nx().px(Math.max(1, kept.toMillis()));
    return link.ask(c -> c.set(key, text("1"), once)) != null;
  }

  @Override
  public OptionalInt draw(List<Draw> draws) {
    List<byte[]> arguments = new ArrayList<>();
    for (Draw draw : draws) {
      if (draw.amount() < 0) {
        throw new IllegalArgumentException("a negative amount cannot be drawn");
      }
      arguments.add(amount(draw));
      arguments.add(number(Math.min(draw.limit(), 2 * AMOUNT_MAX)));
      arguments.add(millis(draw));
    }
    long lacking = count(DRAW, accounts(draws), arguments);
    return lacking < 0 ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact(lacking));
  }

  @Override
  public void giveBack(List<Draw> draws) {
    List<byte[]> arguments = new ArrayList<>();
    for (Draw draw : draws) {
      arguments.add(amount(draw));
      arguments.add(millis(draw));
    }
    count(GIVE_BACK, accounts(draws), arguments);
  }

  private static List<byte[]> accounts(List<Draw> draws) {
    return draws.stream().map(draw -> account(draw.account())).toList();
  }

  private static byte[] account(String account) {
    return text("aion:account:" + account);
  }

  private static byte[] amount(Draw draw) {
    if (Math.abs(draw.amount()) > AMOUNT_MAX) {
      throw new IllegalArgumentException("an amount is more than can be counted");
    }
    return number(draw.amount());
  }

  private static byte[] millis(Draw draw) {
    return number(Math.max(1, draw.kept().toMillis()));
  }

  @Override
  public long drawn(String account) {
    byte[] drawn = link.ask(c -> c.get(account(account)));
    return drawn == null ? 0 : number(drawn);
  }

  @Override
  public boolean put(String name, long number, byte[] value) {
    if (number < 0 || number > 2 * AMOUNT_MAX) {
      throw new IllegalArgumentException("a number is more than can be compared");
    }
    return count(PUT, List.of(value(name)), List.of(number(number), value)) == 1;
  }

  @Override
  public Optional<Value> get(String name) {
    List<KeyValue<byte[], byte[]>> value = link.ask(c -> c.hmget(value(name), NUMBER, BYTES));
    return value.get(0).hasValue()
        ? Optional.of(new Value(number(value.get(0).getValue()), value.get(1).getValue()))
        : Optional.empty();
  }

  private static byte[] value(String name) {
    return text("aion:value:" + name);
  }

  private long count(Script script, List<byte[]> keys, List<byte[]> arguments) {
    Long count = link.run(script, ScriptOutputType.INTEGER, keys, arguments);
    return count;
  }

  private static long number(byte[] digits) {
    return Long.parseLong(new String(digits, UTF_8));
  }

  private static byte[] number(long number) {
    return text(Long.toString(number));
  }

  private static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  /** Leaves no thread behind. */
  @Deactivate
  void close() {
    link.close();
    RedisLink.awaitThreads();
  }
}
