import Foundation
package import RingBootstrap

/// A rank that runs as a process of its own, and what it has said so far.
package final class RankProcess: @unchecked Sendable {
    // `lines` is guarded by `lock`; the rest does not change after `init`.
    private let process = Process()
    private let lock = NSLock()
    private var pending = Data()
    private var lines: [String] = []
    package let rank: Int
    /// Kept free for as long as any rank may serve on it.
    private let port: ReservedPort

    /// Starts rank `rank` of `worldSize`, which meet at `port`: one of this package's programs with the arguments in `mode`.
    package init(
        rank: Int, worldSize: Int, port: ReservedPort, program: String, mode: String,
        settings: [String: String]
    ) throws {
        self.rank = rank
        self.port = port
        let directory = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }?
            .deletingLastPathComponent()
        let products = directory ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        process.executableURL = products.appendingPathComponent(program)
        process.arguments = mode.split(separator: " ").map(String.init)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("RING_") }
        environment.merge(settings) { $1 }
        environment["RANK"] = "\(rank)"
        environment["WORLD_SIZE"] = "\(worldSize)"
        environment["MASTER_ADDR"] = "127.0.0.1"
        environment["MASTER_PORT"] = "\(port.port)"
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            self?.take(data)
        }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private func take(_ data: Data) {
        lock.withLock {
            pending.append(data)
            while let end = pending.firstIndex(of: 10) {
                lines.append(String(decoding: pending[pending.startIndex..<end], as: UTF8.self))
                pending = Data(pending[(end + 1)...])
            }
        }
    }

    /// Sends a signal to the process.
    package func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// Waits for a line that begins with `prefix`; nil if none has come after `seconds`.
    package func line(beginning prefix: String, within seconds: Double) -> String? {
        let limit = Date(timeIntervalSinceNow: seconds)
        while true {
            if let line = lock.withLock({ lines.first { $0.hasPrefix(prefix) } }) { return line }
            if Date() > limit { return nil }
            usleep(2000)
        }
    }

    /// The lines that the rank has said so far.
    package var linesSoFar: [String] { lock.withLock { lines } }

    /// All that the rank has said.
    package var transcript: String { lock.withLock { lines.joined(separator: " | ") } }
}

/// Starts all ranks of a job on this machine.
package func startRanks(
    _ count: Int, program: String, mode: String, timeout: Int, connectTimeout: Int = 20,
    settings: [String: String] = [:]
) throws -> [RankProcess] {
    let port = try ReservedPort()
    return try (0..<count).map {
        try RankProcess(
            rank: $0, worldSize: count, port: port, program: program, mode: mode,
            settings: settings.merging(
                [
                    "RING_TIMEOUT": "\(timeout)", "RING_CONNECT_TIMEOUT": "\(connectTimeout)",
                    "RING_TRANSPORT": "tcp",
                ]) { own, _ in own }
        )
    }
}
