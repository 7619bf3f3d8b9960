import RingCollectives
import RingCompression
import RingCore
import RingTestSupport
import Testing

/// What callers of compressed collectives can rely on besides the result.
@Suite(.serialized) struct CompressedCallTests {
    @Test(arguments: [Compression.float16, .bfloat16, .int8(), .int4()])
    func aNaNIsOneOnAllRanks(_ compression: Compression) async throws {
        let count = 5_000
        let results = try await withRanks(3) { communicator in
            var elements = [Float](repeating: 1, count: count)
            if communicator.rank == 1 { elements[700] = .nan }
            if communicator.rank == 2 { elements[3_000] = .infinity }
            try elements.withUnsafeMutableBufferPointer {
                _ = try communicator.run(.allReduce($0, .sum, compression: compression))
            }
            return elements
        }
        for result in results {
            #expect(result.map(\.bitPattern) == results[0].map(\.bitPattern))
            #expect(result[700].isNaN)
            // In a block with a scale its neighbours are NaN after the first encoding, and so is all after the next.
            #expect(result[3_000] == .infinity || (compression.blockSize > 1 && result[3_000].isNaN))
            // Nothing is taken for another number.
            #expect(result.allSatisfy { $0.isNaN || $0 == .infinity || ($0 - 3).magnitude < 0.5 })
            #expect(result.filter(\.isNaN).count < 1_000)
        }
    }

    @Test func whatCannotBeCompressedIsRefusedBeforeAnythingIsSent() async throws {
        let messages = try await withRanks(2) { communicator in
            var floats = [Float](repeating: 1, count: 10)
            var halves = [Float16](repeating: 1, count: 10)
            let feedback = ErrorFeedback(count: 9)
            func message(_ operation: CollectiveOperation) -> String {
                do {
                    _ = try communicator.run(operation)
                    return "no error"
                } catch { return "\(error)" }
            }
            let messages = floats.withUnsafeMutableBufferPointer { floats in
                halves.withUnsafeMutableBufferPointer { halves in
                    [
                        message(.allReduce(halves, .sum, compression: .int8())),
                        message(.allReduce(floats, .product, compression: .int8())),
                        message(.gather(floats, root: 0).compressed(.bfloat16)),
                        message(.allReduce(floats, .sum).compressed(.int4(), feedback: feedback)),
                        message(.allReduce(floats, .sum).compressed(.none, feedback: feedback)),
                        message(
                            .allReduce(floats, .sum, compression: .int8())
                                .using(Algorithm(name: "recursive-doubling"))),
                    ]
                }
            }
            // The communicator is as good as before.
            try floats.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
            #expect(floats == [Float](repeating: 2, count: 10))
            return messages
        }
        let expected = [
            "compression int8 takes float32, not float16", "no error bound for products",
            "cannot be compressed",
            "the error feedback has 9 elements, the operation 10",
            "error feedback is for compressed operations",
            "completes each element on one rank",
        ]
        for (message, part) in zip(messages[0], expected) { #expect(message.contains(part), "\(message)") }
    }

    @Test func ranksThatDisagreeAreTold() async throws {
        let group = try await RankGroup.connect(2)
        let outcomes = await group.run { communicator in
            var elements = [Float](repeating: 1, count: 100)
            try elements.withUnsafeMutableBufferPointer {
                _ = try communicator.run(
                    .allReduce($0, .sum, compression: communicator.rank == 0 ? .int8() : .none)
                        .using(Algorithm(name: "ring")))
            }
        }
        await group.close()
        for outcome in outcomes {
            let error = try #require(throws: CollectiveError.self) { try outcome.get() }
            #expect(error.code == .mismatch)
            #expect(error.message.contains("sum, int8 (ring)"), "\(error)")
        }
    }

    @Test func statisticsTellBytesAndErrors() async throws {
        let count = 1 << 18
        let statistics = try await withRanks(2) { communicator in
            var elements = (0..<count).map { Float($0 % 1_000) / 1_000 }
            return try elements.withUnsafeMutableBufferPointer {
                try communicator.run(.allReduce($0, .average).compressed(.int8(), measuringError: true))
            }
        }
        for each in statistics {
            #expect(each.elementBytes == 4 * count)
            #expect(Double(each.wireBytes) <= 1.02 * Double(count))
            let error = try #require(each.encodingError)
            #expect(error.largest > 0 && Double(error.largest) <= 1.0 / 253)
            #expect(error.rootMeanSquare > 0 && error.rootMeanSquare < Double(error.largest))
            #expect(error.elementCount == count)
        }
    }

    /// What one reduction takes from a contribution, the next ones add.
    @Test(arguments: ["ring", "direct", "halving-doubling", "double-binary-tree"], [2, 3, 4])
    func feedbackLosesNothingOverTime(algorithm: String, worldSize: Int) async throws {
        let (count, rounds) = (1_000, 40)
        let inputs = (0..<worldSize).map { rank in
            var generator = SplitMix64(state: UInt64(rank) + 5)
            return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
        }
        let sums = try await withRanks(worldSize) { communicator in
            var feedback = ErrorFeedback(count: count)
            var sums = [Double](repeating: 0, count: count)
            for round in 0..<rounds {
                var elements = inputs[communicator.rank]
                try elements.withUnsafeMutableBufferPointer {
                    _ = try communicator.run(
                        .allReduce($0, .average).using(Algorithm(name: algorithm))
                            .compressed(.int4(), feedback: feedback))
                }
                for index in sums.indices { sums[index] += Double(elements[index]) }
                // As a training run does that is continued.
                if round == rounds / 2 { feedback = ErrorFeedback(feedback.residual) }
            }
            return sums
        }
        for (index, sum) in sums[0].enumerated() {
            let exact = inputs.reduce(0) { $0 + Double($1[index]) } / Double(worldSize)
            // A single reduction is off by up to a fifth; what is still kept back at the end is no more than that.
            guard (sum / Double(rounds) - exact).magnitude < 0.5 / Double(rounds) else {
                Issue.record("element \(index) is \(sum / Double(rounds)) on average, exact \(exact)")
                return
            }
        }
    }

    @Test func operationsInFlightAtOnce() async throws {
        let results = try await withRanks(3) { communicator in
            var buffers = (0..<6).map { [Float](repeating: Float($0 + communicator.rank), count: 20_000) }
            var works: [Work] = []
            let compressions: [Compression] = [.int8(), .none, .bfloat16, .int4(), .float16, .int8()]
            let pointers = buffers.indices.map { index in
                buffers[index].withUnsafeMutableBufferPointer { buffer in
                    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: buffer.count)
                    _ = copy.initialize(from: buffer)
                    return copy
                }
            }
            defer { for pointer in pointers { pointer.deallocate() } }
            for (pointer, compression) in zip(pointers, compressions) {
                works.append(try communicator.start(.allReduce(pointer, .sum, compression: compression)))
            }
            for work in works { try work.wait() }
            return pointers.map { Array($0) }
        }
        for result in results {
            for (index, values) in result.enumerated() {
                // int4 loses up to a seventh of the largest, half of that at a time.
                #expect(values.allSatisfy { ($0 - Float(3 * index + 3)).magnitude < 3 }, "operation \(index)")
            }
        }
    }
}
