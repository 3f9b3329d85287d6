package org.aionos.model;

import org.aionos.kernel.policy.Tuning;

/** What the policy in force says of models, for each tenant. */
@FunctionalInterface
interface TunedModels {
  Tuning.Models of(String tenant);
}
