import RingCore

/// What one rank says when a communicator is split.
struct SplitRecord: Hashable, Sendable {
    /// The part that it wants to belong to; nil for none.
    var color: Int?
    /// Where in the part.
    var key: Int
    /// A number of its own, for the case that it is the part's first.
    var number: UInt64

    /// The size of a record in bytes.
    static let byteCount = 25

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(UInt8(color == nil ? 0 : 1))
        writer.integer(Int64(color ?? 0))
        writer.integer(Int64(key))
        writer.integer(number)
        return writer.bytes
    }

    init(color: Int?, key: Int, number: UInt64) {
        self.color = color
        self.key = key
        self.number = number
    }

    init(_ bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let hasColor = try reader.integer(UInt8.self) != 0
        let color = Int(try reader.integer(Int64.self))
        self.color = hasColor ? color : nil
        key = Int(try reader.integer(Int64.self))
        number = try reader.integer(UInt64.self)
        try reader.end()
    }
}

/// What all ranks said when a communicator was split, and what follows from it: the same on all of them.
struct SplitTable: Hashable, Sendable {
    /// By rank of the communicator that is split.
    let records: [SplitRecord]
    /// That communicator.
    let parent: Roster
    /// How many ranks the job has.
    let jobSize: Int

    /// The part that this process belongs to, its ranks in the order of key and old rank; nil if it is in none.
    ///
    /// A communicator's number must differ from those of all others that any two of its ranks share. The number
    /// that the part's first rank has given, which it gives only once, and that rank's number in the job make one
    /// that is unique in the whole job. Throws `.unsupported` once the 32 bits of the wire are used up.
    func part() throws(CollectiveError) -> Roster? {
        guard let color = records[parent.rank].color else { return nil }
        let order = records.indices.filter { records[$0].color == color }
            .sorted { (records[$0].key, $0) < (records[$1].key, $1) }
        let first = parent.members[order[0]]
        let (product, overflow) = records[order[0]].number.multipliedReportingOverflow(by: UInt64(jobSize))
        let (number, isTooLarge) = product.addingReportingOverflow(UInt64(first) + 1)
        guard !overflow, !isTooLarge, let communicator = UInt32(exactly: number) else {
            throw CollectiveError(
                .unsupported,
                "rank \(parent.rank): no numbers are left for further communicators: this job has made too many",
                peer: parent.rank)
        }
        return Roster(
            communicator: communicator, members: order.map { parent.members[$0] },
            rank: order.firstIndex(of: parent.rank)!)
    }
}
