// swift-tools-version: 6.2

import PackageDescription

// A package as a user's would be; instead of the path it would name the repository and a version.
let package = Package(
    name: "ring-collectives-examples",
    dependencies: [.package(name: "ring-collectives", path: "..")],
    targets: [
        .executableTarget(
            name: "two-ranks",
            dependencies: [.product(name: "RingCollectives", package: "ring-collectives")],
            path: "Sources/TwoRanks"
        )
    ],
    swiftLanguageModes: [.v6]
)
