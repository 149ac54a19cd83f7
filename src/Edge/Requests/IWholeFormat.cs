using System.Buffers;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Requests;

/// <summary>How one API writes an answer in one piece, as <c>application/json</c>.</summary>
internal interface IWholeFormat
{
    /// <param name="choices">One for each job of the request, in their order.</param>
    void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices);

    /// <summary>Whether the API keeps answers: then what is to be kept is, before the client has the end.</summary>
    bool Keeps => false;

    /// <summary>Comes before <see cref="WriteWhole"/>, with the same, where the format keeps.</summary>
    ValueTask KeepAsync(IReadOnlyList<WholeOutput> choices, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>In its place, where the status has left already.</summary>
    void WriteError(IBufferWriter<byte> output, ApiError error);
}
