package org.aionos.brain;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** The section {@code brain} of {@code kernel.yaml}. */
@ObjectClassDefinition(
    name = "AION policy brain",
    description = "Proposes versions of the policy from what was measured")
@interface BrainConfig {

  @AttributeDefinition(
      description =
          "off: only when asked; propose: in rounds; canary: and try what needs no operator",
      options = {@Option("off"), @Option("propose"), @Option("canary")})
  String automatic() default "off";

  @AttributeDefinition(description = "Seconds between two rounds", min = "10", max = "604800")
  int intervalSeconds() default 3_600;

  @AttributeDefinition(
      description = "Percent of tenants that an automatic canary is tried on",
      min = "1",
      max = "99")
  int canaryPercent() default 20;

  @AttributeDefinition(
      description =
          "Name of a model in models.yaml that is asked; default: the default one; empty: none is")
  String model() default "default";

  @AttributeDefinition(
      description = "true: the model may be one outside of this organisation's own hosts")
  boolean allowCloud() default false;

  @AttributeDefinition(description = "Seconds that a model gets", min = "1", max = "600")
  int timeSecondsMax() default 60;

  @AttributeDefinition(description = "Tokens of its answer", min = "64", max = "65536")
  int tokensMax() default 2_048;

  @AttributeDefinition(description = "Changes that one proposal makes", min = "1", max = "64")
  int changesMax() default 16;

  @AttributeDefinition(
      description = "Percent of the operator's own limit that a tenant keeps, whatever is proposed",
      min = "1",
      max = "100")
  int floorPercent() default 25;

  @AttributeDefinition(description = "And at least so many tasks at once", min = "1")
  int floorConcurrency() default 1;

  @AttributeDefinition(description = "And at least so many calls an hour", min = "0")
  long floorCallsPerHour() default 60;

  @AttributeDefinition(description = "And at least so many tokens a second", min = "0")
  long floorTokenRate() default 10;

  @AttributeDefinition(description = "And at least so much money an hour", min = "0")
  double floorUsdPerHour() default 0.05;

  @AttributeDefinition(
      description = "Calls of a tenant, below which nothing is concluded about it",
      min = "1")
  int callsMin() default 100;

  @AttributeDefinition(
      description = "Percent of a tenant's calls that fail by its own fault, which call for less",
      min = "1",
      max = "100")
  int failedPercent() default 50;

  @AttributeDefinition(
      description =
          "Percent of its limit of money that a tenant would use, at the rate of the last quarter of"
              + " the hour, which call for less",
      min = "100",
      max = "100000")
  int burnPercent() default 200;
}
