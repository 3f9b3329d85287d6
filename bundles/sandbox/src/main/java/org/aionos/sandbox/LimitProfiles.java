package org.aionos.sandbox;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/** The profiles of {@code cgroup_profiles.yaml}, by name. */
final class LimitProfiles {

  private static final Pattern SIZE = Pattern.compile("(\\d{1,12})(Ki|Mi|Gi)?");
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m)");

  /** Deep enough for any sense, and an end to circles. */
  private static final int INHERITANCE_MAX = 8;

  private static final long MEMORY_BYTES_MIN = 16L << 20;
  private static final long BYTES_MAX = 1L << 40;

  /** What a profile says. */
  record Profile(Limits limits, Devices devices) {}

  private final Map<String, Profile> profiles;

  private LimitProfiles(Map<String, Profile> profiles) {
    this.profiles = profiles;
  }

  /**
   * @param devices those that a profile may name
   */
  static LimitProfiles read(byte[] yaml, Pattern devices) throws InvalidDocument {
    Map<String, Fields> written = Documents.yaml(yaml).only("profiles").objects("profiles");
    Map<String, Profile> profiles = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> each : written.entrySet()) {
      Lineage lineage = new Lineage(each.getValue(), written);
      profiles.put(each.getKey(), new Profile(lineage.limits(), lineage.devices(devices)));
    }
    return new LimitProfiles(profiles);
  }

  Optional<Profile> named(String name) {
    return Optional.ofNullable(profiles.get(name));
  }

  /** The names there are, for whoever asked for another. */
  String names() {
    return String.join(", ", profiles.keySet());
  }

  /** A profile and those it inherits from, itself first. */
  private static final class Lineage {

    private final List<Fields> profiles = new ArrayList<>();

    Lineage(Fields profile, Map<String, Fields> written) throws InvalidDocument {
      @Nullable Fields next = profile;
      while (next != null) {
        next.only("inherits", "cpu", "memory", "pids", "tmp", "output", "wall", "gpu");
        profiles.add(next);
        String parent = next.textOrNull("inherits");
        if (parent != null
            && (!written.containsKey(parent) || profiles.size() == INHERITANCE_MAX)) {
          throw next.invalid("inherits", "there is no profile " + parent + ", or it has no end");
        }
        next = parent == null ? null : written.get(parent);
      }
    }

    Limits limits() throws InvalidDocument {
      return new Limits(
          (int) number("cpu", "percent", 1, 100_000),
          size("memory", MEMORY_BYTES_MIN),
          (int) number("pids", "max", 4, 100_000),
          size("tmp", 4_096),
          size("output", 1_024),
          time("wall", "timeout"));
    }

    /** The nearest profile with a part {@code gpu} says all of it. */
    Devices devices(Pattern admitted) throws InvalidDocument {
      for (Fields profile : profiles) {
        if (profile.has("gpu")) {
          Fields gpu = profile.objectOrEmpty("gpu").only("devices", "optional");
          List<Path> paths = new ArrayList<>();
          for (String each : gpu.texts("devices", Devices.COUNT_MAX)) {
            if (!admitted.matcher(each).matches()) {
              throw gpu.invalid(
                  "devices", each + " is none of those that tools may have: " + admitted);
            }
            paths.add(Path.of(each));
          }
          return new Devices(paths, gpu.flag("optional", false));
        }
      }
      return Devices.NONE;
    }

    private long number(String part, String key, long min, long max) throws InvalidDocument {
      Fields fields = saying(part, key);
      Long number = fields.wholeNumberOrNull(key, min, max);
      if (number == null) {
        throw fields.missing(key);
      }
      return number;
    }

    private long size(String part, long min) throws InvalidDocument {
      Fields fields = saying(part, "max");
      Matcher size = SIZE.matcher(String.valueOf(fields.value("max")));
      if (size.matches()) {
        long unit =
            switch (String.valueOf(size.group(2))) {
              case "Ki" -> 1L << 10;
              case "Mi" -> 1L << 20;
              case "Gi" -> 1L << 30;
              default -> 1L;
            };
        long bytes = Long.parseLong(size.group(1));
        if (bytes <= BYTES_MAX / unit && bytes * unit >= min) {
          return bytes * unit;
        }
      }
      throw fields.invalid("max", "must be bytes, as 64Mi, from " + min + " to " + BYTES_MAX);
    }

    private Duration time(String part, String key) throws InvalidDocument {
      Fields fields = saying(part, key);
      Matcher time = TIME.matcher(String.valueOf(fields.value(key)));
      if (!time.matches() || Long.parseLong(time.group(1)) == 0) {
        throw fields.invalid(key, "must be a time, as 30s, 500ms or 5m");
      }
      long number = Long.parseLong(time.group(1));
      return switch (time.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        default -> Duration.ofMinutes(number);
      };
    }

    /** The part of the nearest profile that says a setting. */
    private Fields saying(String part, String key) throws InvalidDocument {
      for (Fields profile : profiles) {
        Fields fields = profile.objectOrEmpty(part).only(key);
        if (fields.has(key)) {
          return fields;
        }
      }
      throw profiles.get(0).objectOrEmpty(part).missing(key);
    }
  }
}
