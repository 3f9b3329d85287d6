package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;

/**
 * What an operator admits programs behind walls: the folder of {@code seccomp_profile*.json} and
 * {@code cgroup_profiles.yaml}. Read anew each time. What is there and cannot be used is refused
 * with {@code TIER_UNAVAILABLE}.
 */
final class Profiles {

  static final String LIMITS = "cgroup_profiles.yaml";

  private final Path folder;
  private final Pattern devices;
  private final Function<SeccompProfile, Optional<String>> unsayable;

  /**
   * @param devices those that a profile may name
   * @param unsayable why a filter cannot stand before a program here; empty if it can
   */
  Profiles(Path folder, Pattern devices, Function<SeccompProfile, Optional<String>> unsayable) {
    this.folder = folder;
    this.devices = devices;
    this.unsayable = unsayable;
  }

  /** What a program may ask of Linux, as it is written and as Linux reads it. */
  record Filter(SeccompProfile calls, byte[] compiled) {}

  Path path(String file) {
    return folder.resolve(file);
  }

  /** A filter; empty if there is no such file. */
  Optional<Filter> filter(String file) {
    return read(file).map(json -> filter(file, json));
  }

  private Filter filter(String file, byte[] json) {
    try {
      SeccompProfile calls = SeccompProfile.read(json);
      Optional<String> why = unsayable.apply(calls);
      if (why.isPresent()) {
        throw unusable(file, why.get());
      }
      return new Filter(calls, SeccompFilter.of(calls));
    } catch (InvalidDocument invalid) {
      throw unusable(file, invalid.describe());
    } catch (IllegalArgumentException tooLong) {
      throw unusable(file, String.valueOf(tooLong.getMessage()));
    }
  }

  /** The limits; empty if there is no such file. */
  Optional<LimitProfiles> limits() {
    return read(LIMITS).map(this::limits);
  }

  private LimitProfiles limits(byte[] yaml) {
    try {
      return LimitProfiles.read(yaml, devices);
    } catch (InvalidDocument invalid) {
      throw unusable(LIMITS, invalid.describe());
    }
  }

  private Optional<byte[]> read(String file) {
    try {
      return Optional.of(Files.readAllBytes(path(file)));
    } catch (NoSuchFileException absent) {
      return Optional.empty();
    } catch (IOException unreadable) {
      throw unusable(file, String.valueOf(unreadable.getMessage()));
    }
  }

  private Refused unusable(String file, String why) {
    return new Refused(Code.TIER_UNAVAILABLE, path(file) + " cannot be used: " + why);
  }
}
