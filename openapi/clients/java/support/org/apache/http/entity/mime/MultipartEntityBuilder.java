// Stands in for httpmime, so that operations with a multipart body compile; the round trip sends none.
package org.apache.http.entity.mime;

import java.io.File;
import org.apache.http.HttpEntity;

public final class MultipartEntityBuilder {
  private MultipartEntityBuilder() {}

  public static MultipartEntityBuilder create() {
    throw new UnsupportedOperationException("multipart bodies need the real httpmime");
  }

  public MultipartEntityBuilder addBinaryBody(String name, File file) {
    return this;
  }

  public MultipartEntityBuilder addTextBody(String name, String text) {
    return this;
  }

  public HttpEntity build() {
    return null;
  }
}
