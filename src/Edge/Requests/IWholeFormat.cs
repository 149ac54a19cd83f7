using System.Buffers;

namespace OllamaMax.Edge.Requests;

/// <summary>How one API writes an answer in one piece, as <c>application/json</c>.</summary>
internal interface IWholeFormat
{
    void WriteWhole(IBufferWriter<byte> output, WholeOutput whole);

    /// <summary>In its place, where the status has left already.</summary>
    void WriteError(IBufferWriter<byte> output, string message);
}
