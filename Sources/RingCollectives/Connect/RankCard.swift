import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a rank tells all others about itself at the rendezvous.
struct RankCard: Hashable, Sendable {
    /// The running system, so that ranks know whom they share processors with.
    var system: String
    /// The name of its transport.
    var transport: String
    /// What that transport's peers need to know.
    var transportCard: [UInt8]

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.put(system)
        writer.put(transport)
        return writer.bytes + transportCard
    }

    init(system: String, transport: String, transportCard: [UInt8]) {
        self.system = system
        self.transport = transport
        self.transportCard = transportCard
    }

    /// Reads ``bytes``; nil if they are not a card.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let system = reader.text(), let transport = reader.text() else { return nil }
        self.init(system: system, transport: transport, transportCard: reader.remainder)
    }
}

/// The machine that this process runs on.
enum Host {
    /// The same for all processes of one running system, and for no other.
    static var system: String { firstLine(of: "/proc/sys/kernel/random/boot_id") ?? name }

    /// The system and network namespace: processes with the same reach each other over loopback.
    static var network: String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink("/proc/self/ns/net", &buffer, buffer.count)
        let namespace = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return system + " " + String(decoding: namespace, as: UTF8.self)
    }

    /// The host's own name for itself.
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return text(buffer)
    }

    /// This process, for error messages: `host gpu1, process 4711`.
    static var identity: String { "host \(name), process \(getpid())" }

    private static func firstLine(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        return text(buffer.filter { $0 != 10 })
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
