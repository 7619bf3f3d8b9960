import RingCore
import RingPlan
import RingSystem

/// The files of plans that a communicator's operations have asked for, each read and proved once.
final class PlanLibrary: Sendable {
    private let rank: Rank
    private let files = Monitor<[String: PlanFile]>([:])

    /// An empty library of one rank.
    init(rank: Rank) {
        self.rank = rank
    }

    /// The plans in a file. Throws `.invalidArgument` if it cannot be read, is malformed, or is refuted.
    func plans(_ path: String) throws(CollectiveError) -> PlanFile {
        if let known = files.withLock({ $0[path] }) { return known }
        let file: PlanFile
        do {
            file = try PlanFile(contentsOf: path)
        } catch {
            throw CollectiveError(.invalidArgument, "rank \(rank): \(error.message)", peer: rank)
        }
        files.withLock { $0[path] = file }
        return file
    }
}

extension PlanFile {
    /// The longest text that is read: the plans of a direct all-to-all among 1,024 ranks.
    private static let mostBytes = 256 << 20

    /// Reads and proves the plans in a file. Throws `.invalidArgument` in one line that names the file.
    package init(contentsOf path: String) throws(CollectiveError) {
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.open(path).contents(atMost: Self.mostBytes + 1)
        } catch {
            throw CollectiveError(
                .invalidArgument, "plan file \(path): it cannot be read: \(error.reason)")
        }
        guard bytes.count <= Self.mostBytes else {
            throw CollectiveError(
                .invalidArgument, "plan file \(path): it is longer than \(Self.mostBytes) bytes")
        }
        do {
            try self.init(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw CollectiveError(.invalidArgument, "plan file \(path): \(error.message)")
        }
    }
}
