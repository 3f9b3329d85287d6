package org.aionos.tool;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.osgi.service.component.annotations.ComponentPropertyType;

/**
 * Says which tool a service is. All else about a tool (needs, schemas, time limit) stands in the
 * {@code AION-INF/tool.yml} of its bundle, the only manifest; the kernel refuses a service whose
 * name or version differs from it.
 */
@ComponentPropertyType
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.CLASS)
public @interface ToolSpec {

  /** Prefix of the service properties made from this annotation. */
  String PREFIX_ = "tool.";

  /** Name agents call, for example {@code web_search}. */
  String name();

  /** Semantic version of behaviour; of two installed versions the router picks the higher. */
  String version();
}
