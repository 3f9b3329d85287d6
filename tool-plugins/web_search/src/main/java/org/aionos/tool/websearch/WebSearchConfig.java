package org.aionos.tool.websearch;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION web_search tool")
@interface WebSearchConfig {

  @AttributeDefinition(
      name = "Endpoint",
      description =
          "URL of a SearXNG-compatible instance whose json format is enabled; empty: offline only")
  String endpoint() default "";

  @AttributeDefinition(
      name = "Documents",
      description =
          "Folder of .md, .txt and .html files for the offline index, read when the tool starts;"
              + " empty: the documents that come with the tool")
  String documentsDir() default "";

  @AttributeDefinition(
      name = "Endpoint timeout",
      min = "1",
      max = "600000",
      description = "Milliseconds the endpoint may take before the offline index answers instead")
  long timeoutMillisMax() default 5_000;

  @AttributeDefinition(
      name = "Endpoint answer size",
      min = "1024",
      max = "67108864",
      description = "Bytes of one answer of the endpoint; a larger one counts as a failure")
  int responseBytesMax() default 2_097_152;
}
