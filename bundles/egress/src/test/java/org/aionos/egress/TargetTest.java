package org.aionos.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.aionos.kernel.Refused;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TargetTest {

  @Test
  void a_url_is_read_in_the_form_that_rules_are_written_in() {
    Target target = Target.of("HTTPS://API.Example.COM.:8443/v1/a%20b?q=%2e%2e");

    assertThat(target.scheme()).isEqualTo("https");
    assertThat(target.host()).isEqualTo("api.example.com");
    assertThat(target.port()).isEqualTo(8443);
    assertThat(target.path()).isEqualTo("/v1/a%20b");
    assertThat(target.url()).hasToString("https://api.example.com:8443/v1/a%20b?q=%2e%2e");
    assertThat(Target.of("http://a").url()).hasToString("http://a:80/");
    assertThat(Target.of("https://[2001:DB8::1]/").host()).isEqualTo("2001:db8::1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "//a/b",
        "ftp://a/",
        "file:///etc/passwd",
        "gopher://a",
        "https://",
        "https:///x",
        "https://user@a/",
        "https://user:password@a/",
        "https://a:0/",
        "https://a:70000/",
        "https://a/../b",
        "https://a/v1/%2e%2e/admin",
        "https://a/v1/%2E./admin",
        "https://a/./b",
        "https://a/v1%2fadmin",
        "https://a/v1%5Cadmin",
        "https://a/%zz",
        "https://a\\@b/",
        "https://a b/",
        "https://a/\r\nX: y",
        "javascript:alert(1)",
        "https://a_b/"
      })
  void what_could_be_read_in_two_ways_is_refused(String url) {
    assertThatThrownBy(() -> Target.of(url)).isInstanceOf(Refused.class);
  }
}
