using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>How one kind of server is spoken to.</summary>
internal interface IServerDialect
{
    /// <summary>The models that the server has at the moment.</summary>
    /// <inheritdoc cref="ServerConnection.GetAsync"/>
    Task<IReadOnlyList<ForwardedModel>> ListAsync(ServerConnection server, CancellationToken cancellationToken);

    /// <summary>A streamed answer is asked for.</summary>
    /// <param name="model">The server's name for it.</param>
    ServerRequest Ask(string model, EngineRequest request);

    /// <summary>Vectors of all of its texts.</summary>
    ServerRequest Embed(string model, EmbedRequest request);

    /// <summary>Brings the model into the server's memory, or out of it (zero); null where it cannot be told to.</summary>
    ServerRequest? Load(string model, TimeSpan? keepAlive);

    /// <summary>The JSON documents of a streamed answer, as they come.</summary>
    IAsyncEnumerable<string> SplitAsync(Stream answer, CancellationToken cancellationToken);

    IServerAnswer NewAnswer();

    /// <summary>The vectors of an answer to <see cref="Embed"/>, in the inputs' order, and the tokens of all inputs together.</summary>
    (IReadOnlyList<float[]> Vectors, int Tokens) ReadVectors(JsonElement answer);
}

/// <summary>Reads one streamed answer.</summary>
internal interface IServerAnswer
{
    /// <summary>How it ended, as the server says; null before that.</summary>
    AttemptEnd? End { get; }

    /// <summary>What the next document adds.</summary>
    IEnumerable<ServerPiece> Read(JsonElement document);
}

/// <param name="Kind">A <see cref="PieceKind"/>.</param>
internal readonly record struct ServerPiece(int Kind, ReadOnlyMemory<byte> Bytes, TokenLogprobs? Logprobs = null);
