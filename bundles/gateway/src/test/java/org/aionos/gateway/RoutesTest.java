package org.aionos.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.gateway.Routes.Access;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;

final class RoutesTest {

  private final Routes routes =
      new Routes()
          .add("GET", "/v1/agents", Access.PROVEN, exchange -> {})
          .add("GET", "/v1/agents/{id}", Access.PROVEN, exchange -> {})
          .add("POST", "/v1/agents/{id}/stop", Access.PROVEN, exchange -> {});

  private Code refusal(String method, String path) {
    return catchThrowableOfType(Refused.class, () -> routes.find(method, path)).problem().code();
  }

  @Example
  void finds_a_route_and_decodes_its_variables() {
    assertThat(routes.find("GET", "/v1/agents").segments()).isEmpty();
    assertThat(routes.find("GET", "/v1/agents/agent%3A%2F%2FtenantA%2Fr-1").segments())
        .containsExactly("agent://tenantA/r-1");
    assertThat(routes.find("POST", "/v1/agents/a+b/stop").segments()).containsExactly("a+b");
  }

  @Example
  void tells_an_unknown_path_from_a_wrong_method() {
    assertThat(refusal("GET", "/v1/agent")).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal("DELETE", "/v1/agents")).isEqualTo(Code.METHOD_NOT_ALLOWED);
  }

  @Example
  void an_encoded_slash_or_dots_never_make_another_route() {
    assertThat(refusal("GET", "/v1/agents/a/../../tenants")).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal("GET", "/v1%2Fagents")).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal("GET", "//v1/agents")).isEqualTo(Code.NOT_FOUND);
    assertThat(refusal("GET", "/v1/agents/%zz")).isEqualTo(Code.MALFORMED_REQUEST);
  }

  @Property(tries = 1_000)
  void any_path_is_served_or_refused(@ForAll String path) {
    try {
      assertThat(routes.find("GET", path).route()).isNotNull();
    } catch (Refused refused) {
      assertThat(refused.problem().code().httpStatus()).isBetween(400, 499);
    }
  }
}
