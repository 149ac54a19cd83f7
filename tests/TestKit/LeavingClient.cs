namespace OllamaMax.TestKit;

/// <summary>Clients that are gone at once when they leave an answer; by themselves they read on for two seconds, so that the connection can be used again.</summary>
public static class LeavingClient
{
    public static HttpClient To(Uri address) => new(new SocketsHttpHandler { ResponseDrainTimeout = TimeSpan.Zero }) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
}
