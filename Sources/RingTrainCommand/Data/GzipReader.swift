import CZlib

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads whole files through zlib, which passes files that are not gzip through unchanged.
enum GzipReader {
    /// The bytes of the file at `path`, decompressed if it is gzip.
    ///
    /// It throws a ``DataError`` if the file cannot be read, is damaged, ends early, or holds more than
    /// `limit` bytes. Bytes that follow the end of a gzip stream are ignored, as gzip itself does.
    static func contents(ofFile path: String, limit: Int) throws -> [UInt8] {
        errno = 0
        guard let file = gzopen(path, "rb") else {
            throw DataError(path, "cannot be opened: \(errno == 0 ? "out of memory" : systemMessage(errno))")
        }
        var isOpen = true
        defer { if isOpen { gzclose_r(file) } }
        gzbuffer(file, 1 << 17)

        var contents: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            errno = 0
            let received = gzread(file, &block, UInt32(block.count))
            if received < 0 { throw DataError(path, failure(of: file)) }
            if received == 0 { break }
            guard contents.count + Int(received) <= limit else {
                throw DataError(path, "holds more than \(limit) bytes, which no file of this kind does")
            }
            contents += block[..<Int(received)]
        }
        // A stream that ends early is not an error of `gzread`; closing tells.
        isOpen = false
        if gzclose_r(file) == Z_BUF_ERROR {
            throw DataError(path, "is truncated: its gzip stream ends early")
        }
        return contents
    }

    /// Says what `gzread` found wrong.
    private static func failure(of file: gzFile) -> String {
        let systemError = errno
        var code: Int32 = 0
        let text = gzerror(file, &code).map { String(cString: $0) } ?? ""
        switch code {
        case Z_ERRNO: return "cannot be read: \(systemMessage(systemError))"
        case Z_BUF_ERROR: return "is truncated: its gzip stream ends early"
        case Z_DATA_ERROR: return "is damaged: its gzip stream cannot be decompressed (\(text))"
        default: return "cannot be read: \(text)"
        }
    }

    private static func systemMessage(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}
