namespace OllamaMax.LocalHost.Processes;

/// <summary>Our own end of a life line.</summary>
internal static class StandardInput
{
    /// <summary>Ends when standard input does.</summary>
    public static async Task WaitForEndAsync(CancellationToken cancellationToken)
    {
        await using Stream input = Console.OpenStandardInput();
        byte[] unread = new byte[256];
        while (await input.ReadAsync(unread, cancellationToken) > 0)
        {
        }
    }
}
