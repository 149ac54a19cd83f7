using System.Text;

namespace OllamaMax.SignalR;

/// <summary>
/// Where a SignalR service is and the key to it, as Azure's portal gives it
/// (<c>Endpoint=https://x.service.signalr.net;AccessKey=…;Version=1.0;</c>) or as the official emulator prints it
/// (<c>Endpoint=http://localhost;Port=8888;AccessKey=…;Version=1.0;</c>).
/// </summary>
public sealed class SignalRConnectionString
{
    // RFC 7518, 3.2: HS256 asks for a key of at least 256 bits.
    private const int MinKeyBytes = 32;

    private SignalRConnectionString(string endpoint, string accessKey)
    {
        Endpoint = endpoint;
        AccessKey = accessKey;
    }

    /// <summary>Scheme, host and, where it is not the scheme's own, port; no slash at the end.</summary>
    public string Endpoint { get; }

    internal string AccessKey { get; }

    /// <exception cref="FormatException">Something is missing or malformed; the message names it, never the key.</exception>
    public static SignalRConnectionString Parse(string text)
    {
        Dictionary<string, string> parts = Split(text);
        string version = parts.GetValueOrDefault("Version", "1.0");
        if (version != "1" && !version.StartsWith("1.", StringComparison.Ordinal))
            throw new FormatException($"The SignalR connection string is of version {version}; only 1.x is known.");
        string endpoint = ParseEndpoint(Required(parts, "Endpoint"), parts.GetValueOrDefault("Port"));
        string key = Required(parts, "AccessKey");
        if (Encoding.UTF8.GetByteCount(key) < MinKeyBytes)
            throw new FormatException($"AccessKey in the SignalR connection string is shorter than {MinKeyBytes} bytes.");
        return new(endpoint, key);
    }

    /// <summary>Without the key, so that it can go to a log.</summary>
    public override string ToString() => $"Endpoint={Endpoint}";

    private static Dictionary<string, string> Split(string text)
    {
        Dictionary<string, string> parts = new(StringComparer.OrdinalIgnoreCase);
        foreach (string part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // Keys are base64 and may end in '='.
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw new FormatException("The SignalR connection string has a part that is not Name=Value.");
            string name = part[..equals].TrimEnd();
            if (!parts.TryAdd(name, part[(equals + 1)..].TrimStart()))
                throw new FormatException($"The SignalR connection string has {name} twice.");
        }
        return parts;
    }

    private static string Required(Dictionary<string, string> parts, string name) =>
        parts.TryGetValue(name, out string? value) && value.Length > 0
            ? value
            : throw new FormatException($"The SignalR connection string has no {name}.");

    private static string ParseEndpoint(string value, string? port)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/")
            throw new FormatException($"Endpoint in the SignalR connection string is not an http(s) address without a path: {value}");
        UriBuilder builder = new(uri.Scheme, uri.Host, uri.Port);
        if (port is not null)
        {
            if (!ushort.TryParse(port, out ushort number) || number == 0)
                throw new FormatException($"Port in the SignalR connection string is not a port: {port}");
            builder.Port = number;
        }
        return builder.Uri.GetLeftPart(UriPartial.Authority);
    }
}
