/**
 * Rules in, decisions out. {@link org.aionos.policy.RuleBook} is one version of the rules and
 * decides; {@link org.aionos.policy.PolicyFile} keeps the version in force. Exports nothing.
 */
@NullMarked
package org.aionos.policy;

import org.jspecify.annotations.NullMarked;
