using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>
/// SignalR's JSON protocol for clients that may listen only: one that sends anything but pings is disconnected, as the
/// service does in serverless mode.
/// </summary>
internal sealed class ListenOnlyProtocol : IHubProtocol
{
    private readonly JsonHubProtocol _json = new();

    public string Name => _json.Name;

    public int Version => _json.Version;

    public TransferFormat TransferFormat => _json.TransferFormat;

    public bool IsVersionSupported(int version) => _json.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _json.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => _json.WriteMessage(message, output);

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        bool parsed = _json.TryParseMessage(ref input, binder, out message);
        // Thrown through SignalR's reading loop, which closes the connection with an error.
        return !parsed || message is PingMessage or CloseMessage or AckMessage or SequenceMessage
            ? parsed
            : throw new InvalidDataException("Clients may only listen: there is no server to invoke.");
    }
}
