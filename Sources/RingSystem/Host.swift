#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The machine that this process runs on.
package enum Host {
    /// The same for all processes of one running system, and for no other.
    package static var system: String {
        let identifier = try? FileDescriptor.open("/proc/sys/kernel/random/boot_id").contents(atMost: 256)
        return identifier.map { String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self) } ?? name
    }

    /// The system and network namespace: processes with the same reach each other over loopback.
    package static var network: String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink("/proc/self/ns/net", &buffer, buffer.count)
        let namespace = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return system + " " + String(decoding: namespace, as: UTF8.self)
    }

    /// The host's own name for itself.
    package static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(buffer: buffer)
    }

    /// This process, for error messages: `host gpu1, process 4711`.
    package static var identity: String { "host \(name), process \(getpid())" }

    /// The file that this process runs.
    package static var executable: String {
        let link = "/proc/self/exe"
        guard let path = realpath(link, nil) else { return link }
        defer { free(path) }
        return String(cString: path)
    }
}

extension String {
    /// The text that the system put into a buffer, up to the first zero.
    init(buffer: [CChar]) {
        self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
