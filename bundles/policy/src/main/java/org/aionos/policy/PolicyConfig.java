package org.aionos.policy;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION policy")
@interface PolicyConfig {

  @AttributeDefinition(
      name = "Policy folder",
      required = false,
      description =
          "Holds agent.capabilities.yaml and the versions; empty means policies/ beside the kernel's data")
  String dir() default "";

  @AttributeDefinition(
      name = "Reload interval",
      min = "50",
      max = "60000",
      description = "Milliseconds between two looks at the file")
  long reloadMillis() default 500;

  @AttributeDefinition(
      name = "Approval time",
      min = "1",
      max = "604800",
      description =
          "Seconds after which a call that waits for a person is forgotten, decided or not")
  long approvalSeconds() default 900;
}
