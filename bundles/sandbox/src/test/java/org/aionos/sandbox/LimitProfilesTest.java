package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.aionos.document.InvalidDocument;
import org.aionos.sandbox.LimitProfiles.Profile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LimitProfilesTest {

  private static final String DEFAULT =
      "profiles: {default: {cpu: {percent: 50}, memory: {max: 128Mi}, pids: {max: 32},"
          + " tmp: {max: 64Ki}, output: {max: 4096}, wall: {timeout: 1500ms}}";

  @Test
  void the_shipped_profiles_are_valid() throws Exception {
    LimitProfiles profiles =
        LimitProfiles.read(
            Files.readAllBytes(Path.of("../../config/sandbox/cgroup_profiles.yaml")), Devices.GPUS);

    assertThat(profiles.named("default").map(Profile::limits))
        .contains(new Limits(50, 128L << 20, 32, 16L << 20, 4L << 20, Duration.ofSeconds(30)));
    assertThat(profiles.named("python")).isPresent();
    assertThat(profiles.named("absent")).isEmpty();
    assertThat(profiles.names()).isEqualTo("default, python, agent");
  }

  @Test
  void a_profile_says_only_what_is_different_in_it() throws Exception {
    LimitProfiles profiles =
        LimitProfiles.read(
            (DEFAULT
                    + ", big: {inherits: default, memory: {max: 1Gi}}"
                    + ", slow: {inherits: big, wall: {timeout: 2m}}}")
                .getBytes(UTF_8),
            Devices.GPUS);

    assertThat(profiles.named("default").map(Profile::limits))
        .contains(new Limits(50, 128L << 20, 32, 64 << 10, 4096, Duration.ofMillis(1500)));
    assertThat(profiles.named("slow").map(Profile::limits))
        .contains(new Limits(50, 1L << 30, 32, 64 << 10, 4096, Duration.ofMinutes(2)));
  }

  @Test
  void devices_are_those_of_the_nearest_profile_that_names_some() throws Exception {
    LimitProfiles profiles =
        LimitProfiles.read(
            (DEFAULT
                    + ", one: {inherits: default, gpu: {devices: [/dev/nvidia0, /dev/nvidiactl,"
                    + " /dev/nvidia-uvm, /dev/dri/renderD128, /dev/kfd], optional: true}}"
                    + ", heir: {inherits: one, memory: {max: 1Gi}}"
                    + ", none: {inherits: one, gpu: {devices: []}}}")
                .getBytes(UTF_8),
            Devices.GPUS);

    assertThat(profiles.named("default").map(Profile::devices)).contains(Devices.NONE);
    assertThat(profiles.named("heir").map(Profile::devices))
        .contains(
            new Devices(
                List.of(
                    Path.of("/dev/nvidia0"),
                    Path.of("/dev/nvidiactl"),
                    Path.of("/dev/nvidia-uvm"),
                    Path.of("/dev/dri/renderD128"),
                    Path.of("/dev/kfd")),
                true));
    assertThat(profiles.named("none").map(Profile::devices)).contains(Devices.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{inherits: nobody}                                  | /profiles/x/inherits",
        "{inherits: x}                                       | /profiles/x/inherits",
        "{memory: {max: 64Mi}}                               | /profiles/x/cpu/percent",
        "{inherits: default, memory: {max: 1}}               | /profiles/x/memory/max",
        "{inherits: default, memory: {max: 64M}}             | /profiles/x/memory/max",
        "{inherits: default, memory: {max: 999999999999Gi}}  | /profiles/x/memory/max",
        "{inherits: default, pids: {max: 0}}                 | /profiles/x/pids/max",
        "{inherits: default, cpu: {percent: lots}}           | /profiles/x/cpu/percent",
        "{inherits: default, wall: {timeout: 0s}}            | /profiles/x/wall/timeout",
        "{inherits: default, gpu: {devices: [/dev/sda]}}     | /profiles/x/gpu/devices",
        "{inherits: default, gpu: {devices: [/dev/mem]}}     | /profiles/x/gpu/devices",
        "{inherits: default, gpu: {devices: [/dev/nvidia0/../mem]}} | /profiles/x/gpu/devices",
        "{inherits: default, gpu: {devices: [nvidia0]}}      | /profiles/x/gpu/devices",
        "{inherits: default, gpu: {optional: maybe}}         | /profiles/x/gpu/optional",
        "{inherits: default, gpu: {visible: 0}}              | /profiles/x/gpu/visible",
        "{inherits: default, cpu: {shares: 5}}               | /profiles/x/cpu/shares"
      })
  void a_profile_that_cannot_be_understood_is_refused(String profile, String pointer) {
    assertThatThrownBy(
            () ->
                LimitProfiles.read(
                    (DEFAULT + ", x: " + profile + "}").getBytes(UTF_8), Devices.GPUS))
        .isInstanceOfSatisfying(
            InvalidDocument.class, invalid -> assertThat(invalid.pointer()).isEqualTo(pointer));
  }
}
