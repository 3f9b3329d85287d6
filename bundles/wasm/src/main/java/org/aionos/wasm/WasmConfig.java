package org.aionos.wasm;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION wasm tier")
@interface WasmConfig {

  @AttributeDefinition(
      name = "Module size",
      min = "1024",
      max = "67108864",
      description = "Bytes of one module; compiling takes some ten times as much memory")
  int moduleBytesMax() default 16_777_216;

  @AttributeDefinition(
      name = "Memory of a call",
      min = "65536",
      max = "1073741824",
      description = "Bytes of memory that one call may use; beyond them it is ended")
  int memoryBytesMax() default 67_108_864;

  @AttributeDefinition(
      name = "Memory of all calls",
      min = "65536",
      max = "2147483647",
      description = "Bytes of memory that all calls in flight may use; it is part of the heap")
  int memoriesBytesMax() default 134_217_728;

  @AttributeDefinition(
      name = "Output of a call",
      min = "1024",
      max = "67108864",
      description = "Bytes that one call may write as its answer")
  int outputBytesMax() default 4_194_304;

  @AttributeDefinition(
      name = "Files of a call",
      min = "4096",
      max = "67108864",
      description = "Bytes in its folder /tmp, in memory; counted as memory of all calls, whole")
  int filesBytesMax() default 4_194_304;
}
