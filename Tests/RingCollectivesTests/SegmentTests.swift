import RingCollectives
import RingCore
import Testing

/// Messages longer than a piece, a segment and what a link holds, on one channel and several.
@Suite(.serialized) struct SegmentTests {
    static func options(piece: Int, segment: Int, channels: Int = 1, capacity: Int) -> RankOptions {
        var options = RankOptions(wire: .memory(capacity: capacity))
        options.transport.pieceSize = piece
        options.transport.segmentSize = segment
        options.transport.channels = channels
        return options
    }

    @Test(arguments: [
        (4096, 4096, 5_000), (4096, 12_300, 64 << 10), (65_536, 4099, 3_001), (10_007, 1 << 20, 8192),
    ])
    func crossingPiecesAndSegments(piece: Int, segment: Int, capacity: Int) async throws {
        for worldSize in [2, 3] {
            try await withRanks(worldSize, Self.options(piece: piece, segment: segment, capacity: capacity)) {
                for count in [4096 / 4, 4096 * worldSize + 1, 40_009] {
                    for isInPlace in [true, false] {
                        for dataType in [DataType.float32, .float64, .int8] {
                            for collective in [Collective.allReduce, .reduceScatter, .allGather] {
                                try Exercise(
                                    collective: collective, count: count, dataType: dataType,
                                    isInPlace: isInPlace
                                ).run(on: $0)
                            }
                        }
                        for name in ["binomial-tree", "pipelined-ring"] {
                            try Exercise(
                                collective: .broadcast, count: count, root: 1, isInPlace: isInPlace,
                                algorithm: Algorithm(name: name)
                            ).run(on: $0)
                        }
                    }
                }
            }
        }
    }

    /// More than a chunk a rank, more than a segment, more chunks than one in a pipeline.
    @Test func defaultSizes() async throws {
        try await withRanks(2, RankOptions(wire: .memory(capacity: 300_000))) { communicator in
            for isInPlace in [true, false] {
                try Exercise(collective: .allReduce, count: 2_500_001, isInPlace: isInPlace).run(
                    on: communicator)
                try Exercise(collective: .broadcast, count: 300_001, root: 1, isInPlace: isInPlace)
                    .run(on: communicator)
            }
        }
    }

    /// A channel is used for each MiB, so these counts use one to all of them, with cuts in odd places.
    @Test(arguments: [1, 2, 3]) func channels(_ channels: Int) async throws {
        for worldSize in [2, 4] {
            let options = Self.options(piece: 32_768, segment: 200_000, channels: channels, capacity: 100_000)
            try await withRanks(worldSize, options) { communicator in
                for count in [1_000, (2 << 20) + 5, (3 << 20) + 7] {
                    for collective in [
                        Collective.allReduce, .reduceScatter, .allGather, .broadcast, .barrier,
                    ] {
                        try Exercise(
                            collective: collective, count: collective == .barrier ? 0 : count,
                            dataType: .uint8,
                            isInPlace: count % 2 == 0
                        ).run(on: communicator)
                    }
                }
                try Exercise(
                    collective: .reduceScatter, count: 393_217 * 2, dataType: .float64, isInPlace: false
                )
                .run(on: communicator)
            }
        }
    }
}
