#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The machine that this process runs on.
struct MachineDescription: Equatable, Sendable {
    var host: String
    /// The processor's model.
    var processor: String
    /// The processors that are online.
    var cores: Int
    var memoryBytes: Int
    /// `Linux 6.8.0 x86_64`
    var kernel: String
    /// What TCP sockets use unless they choose another.
    var congestionControl: String
}

extension MachineDescription {
    /// Describes this machine. What cannot be found out is `unknown`.
    init() {
        var names = utsname()
        let isKnown = uname(&names) == 0
        func text<Field>(_ field: Field) -> String {
            guard isKnown else { return "unknown" }
            return withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let architecture = text(names.machine)
        self.init(
            host: text(names.nodename),
            processor: Self.processorModel(in: Self.contents("/proc/cpuinfo") ?? "") ?? architecture,
            cores: Swift.max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memoryBytes: Self.installedMemory,
            kernel: "\(text(names.sysname)) \(text(names.release)) \(architecture)",
            congestionControl: Self.contents("/proc/sys/net/ipv4/tcp_congestion_control").map {
                String($0.prefix { !$0.isWhitespace })
            } ?? "unknown")
    }

    /// The memory of this machine, in bytes.
    static var installedMemory: Int {
        sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The first processor's model in the text of `/proc/cpuinfo`, which not every architecture gives.
    static func processorModel(in text: String) -> String? {
        for line in text.split(separator: "\n") where line.hasPrefix("model name") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let words = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
            if !words.isEmpty { return words.joined(separator: " ") }
        }
        return nil
    }

    /// The present time in UTC: `2026-03-01T12:00:00Z`.
    static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "unknown" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }

    /// The text of a small file, such as the kernel offers; nil if it cannot be read.
    private static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
            count = Swift.max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
