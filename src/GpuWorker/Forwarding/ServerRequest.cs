using System.Text.Json.Nodes;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>What to send to a server, or why that cannot be.</summary>
/// <param name="Path">Below the API's begin.</param>
/// <param name="Body">JSON.</param>
internal sealed record ServerRequest(string Path, JsonObject Body)
{
    /// <summary>What the server cannot do that the request asks for, naming it; null: it can be sent.</summary>
    public string? Refusal { get; private init; }

    public static ServerRequest Refused(ServerKind kind, string what) =>
        new("", new JsonObject()) { Refusal = $"{what} is not supported by the server that the model runs on ({ServerKinds.NameOf(kind)})" };
}
