// Each rank contributes its own numbers; all get the average. Start it with
//
//     ringrun -n 2 -- Examples/.build/debug/two-ranks

import RingCollectives

@main
struct TwoRanks {
    static func main() async throws {
        let world = try await Communicator.connect(.fromEnvironment())

        var gradients = [Float](repeating: Float(world.rank), count: 1_000_003)
        try await world.allReduce(&gradients, .average)

        let expected = Float(world.worldSize - 1) / 2
        guard gradients.allSatisfy({ $0 == expected }) else {
            fatalError("rank \(world.rank) has a wrong element")
        }
        print("rank \(world.rank) of \(world.worldSize): \(gradients.count) elements, each \(gradients[0])")

        world.close()
    }
}
