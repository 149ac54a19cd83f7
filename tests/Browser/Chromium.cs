namespace OllamaMax.Browser.Tests;

/// <summary>The browser of this machine: Playwright's own cannot be downloaded everywhere.</summary>
internal static class Chromium
{
    /// <summary>Names the program where it is not found by itself.</summary>
    public const string Variable = "OLLAMAMAX_CHROMIUM";

    public const string HowToGet =
        $"No Chromium was found, so the console was not looked at: install one ('apt-get install chromium', or Google's Chrome), or name it in {Variable}.";

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe", "msedge.exe"];

    private static readonly string[] Elsewhere =
    [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe",
        @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ];

    /// <summary>Null where there is none.</summary>
    public static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new FileNotFoundException($"{Variable} names a file that is not there: {named}");
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).Concat(Elsewhere).FirstOrDefault(File.Exists);
    }
}
