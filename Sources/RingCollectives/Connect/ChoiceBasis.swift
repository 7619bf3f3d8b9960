import RingBootstrap
import RingCore
import RingPlan
import RingSystem

/// What the ranks of a job choose algorithms by. It is rank 0's: were ranks to go by what each of them has, they could
/// choose differently.
struct ChoiceBasis: Sendable, Hashable {
    /// The tuning document, if rank 0 has one.
    var tuning: TuningDocument?
    /// How many processors rank 0's host has for its ranks.
    var processors: Int

    /// The selector that goes by this, for a transport; a document about another one says nothing.
    func selector(transport: String, overrides: AlgorithmOverrides) -> Selector {
        guard let tuning, tuning.transport == transport else { return Selector(overrides: overrides) }
        return tuning.selector(overrides: overrides)
    }
}

extension ChoiceBasis {
    /// The longest document that is read: more than its measurements need, and a card with it is within the store's
    /// limit.
    private static let mostBytes = StoreLimits.valueBytes / 2

    /// What this process has: the document in the file, if one is named.
    ///
    /// - Throws: `invalidConfiguration` if the file cannot be read or is not a tuning document.
    static func own(tuningFile: String?) throws(CollectiveError) -> ChoiceBasis {
        guard let tuningFile else { return ChoiceBasis(processors: Processors.available) }
        let bytes: [UInt8]
        do {
            bytes = try FileDescriptor.open(tuningFile).contents(atMost: mostBytes + 1)
        } catch {
            throw CollectiveError(
                .invalidConfiguration, "tuning document \(tuningFile): it cannot be read: \(error.reason)")
        }
        guard bytes.count <= mostBytes else {
            throw CollectiveError(
                .invalidConfiguration,
                "tuning document \(tuningFile): it is longer than \(mostBytes) bytes")
        }
        return ChoiceBasis(
            tuning: try TuningDocument(json: bytes, source: tuningFile), processors: Processors.available)
    }

    /// The basis as a rank's card carries it.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(UInt32(clamping: processors))
        return writer.bytes + Array((tuning?.json ?? "").utf8)
    }

    /// Reads ``bytes``; nil if they are not a basis.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let processors = try? reader.integer(UInt32.self), processors >= 1 else { return nil }
        let json = reader.remainder()
        guard !json.isEmpty else {
            self.init(processors: Int(processors))
            return
        }
        guard let tuning = try? TuningDocument(json: json, source: "of another rank") else { return nil }
        self.init(tuning: tuning, processors: Int(processors))
    }
}
