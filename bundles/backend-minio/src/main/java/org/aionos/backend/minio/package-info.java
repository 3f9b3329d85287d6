/** Objects in S3: MinIO, Ceph, Amazon's own, or what else speaks it. */
@NullMarked
package org.aionos.backend.minio;

import org.jspecify.annotations.NullMarked;
