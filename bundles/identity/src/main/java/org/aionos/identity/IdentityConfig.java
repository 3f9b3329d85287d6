package org.aionos.identity;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** What an operator may set. {@link Settings} checks it. */
@ObjectClassDefinition(
    name = "AION identity",
    description = "Tenants, agent keys, the bootstrap operator token and the identity provider")
@interface IdentityConfig {

  @AttributeDefinition(
      name = "Directory",
      description = "Where credentials are kept. Empty: identity/ in the kernel's state directory",
      required = false)
  String dir() default "";

  @AttributeDefinition(
      name = "Sample tenant",
      description = "Whether tenantA exists, with its well-known secret. For development only")
  boolean sampleTenant() default false;

  @AttributeDefinition(
      name = "Replay window",
      description = "Seconds a signed timestamp may be away from the kernel's clock",
      min = "1",
      max = "3600")
  int replayWindowSecondsMax() default 300;

  @AttributeDefinition(
      name = "Nonces",
      description = "Nonces remembered per tenant; at the bound the tenant's calls are put off",
      min = "1",
      max = "10000000")
  int noncesPerTenantMax() default 200_000;

  @AttributeDefinition(
      name = "Key set URL",
      description = "JWKS of the identity provider: https, or http to this machine",
      required = false)
  String jwksUrl() default "";

  @AttributeDefinition(
      name = "Key set file",
      description = "JWKS in a file, instead of the URL",
      required = false)
  String jwksFile() default "";

  @AttributeDefinition(
      name = "Token issuer",
      description = "What a token's iss must be; required with a key set",
      required = false)
  String jwtIssuer() default "";

  @AttributeDefinition(
      name = "Token audience",
      description = "What a token's aud must contain; required with a key set",
      required = false)
  String jwtAudience() default "";

  @AttributeDefinition(
      name = "Token algorithms",
      description = "Signature algorithms taken: RS, PS or ES with 256, 384 or 512, and EdDSA")
  String[] jwtAlgorithms() default {"RS256", "ES256", "EdDSA"};

  @AttributeDefinition(
      name = "Roles claim",
      description = "Claim that lists viewer, operator or admin; the highest wins")
  String jwtRolesClaim() default "roles";

  @AttributeDefinition(
      name = "Tenant claim",
      description = "Claim that limits its holder to one tenant; without it, all tenants")
  String jwtTenantClaim() default "tenant";

  @AttributeDefinition(
      name = "Key set age",
      description = "Seconds after which the key set is loaded again",
      min = "10",
      max = "86400")
  int jwksRefreshSecondsMax() default 300;

  @AttributeDefinition(
      name = "Clock skew",
      description = "Seconds the identity provider's clock may be away from the kernel's",
      min = "0",
      max = "300")
  int clockSkewSecondsMax() default 30;
}
