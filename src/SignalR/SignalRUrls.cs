using System.Text.RegularExpressions;

namespace OllamaMax.SignalR;

/// <summary>
/// The URLs of one hub. Each of them, without a query, is also the audience of the token that opens it
/// (https://learn.microsoft.com/azure/azure-signalr/signalr-reference-data-plane-rest-api).
/// </summary>
internal sealed partial class SignalRUrls
{
    private readonly string _api;

    /// <exception cref="ArgumentException">The hub's name is not one that the service takes.</exception>
    public SignalRUrls(string endpoint, string hub)
    {
        if (!HubName().IsMatch(hub))
            throw new ArgumentException($"'{hub}' is no hub name: a letter, then letters, digits and underscores.", nameof(hub));
        Client = $"{endpoint}/client/?hub={hub}";
        _api = $"{endpoint}/api/hubs/{hub}";
    }

    /// <summary>Where clients connect; here the query belongs to the audience.</summary>
    public string Client { get; }

    public string SendToUser(string user) => $"{User(user)}/:send";

    public string CloseUser(string user) => $"{User(user)}/:closeConnections";

    public string UserInGroup(string user, string group) => $"{User(user)}/groups/{Escape(group)}";

    public string SendToGroup(string group) => $"{_api}/groups/{Escape(group)}/:send";

    private string User(string user) => $"{_api}/users/{Escape(user)}";

    // "." and ".." as segments would be folded away, into the URL of something else.
    private static string Escape(string name) => name is "" or "." or ".."
        ? throw new ArgumentException($"'{name}' can be no name of a user or group.", nameof(name))
        : Uri.EscapeDataString(name);

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{0,127}$")]
    private static partial Regex HubName();
}
