using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using OllamaMax.Security;

namespace OllamaMax.Cli.Commands;

/// <summary><c>backup FILE</c> and <c>restore FILE</c>: what a cluster cannot find out again by itself.</summary>
internal static class BackupCommands
{
    private static readonly Argument<FileInfo> File = new("file") { Description = "JSON lines; it holds the hashes of all keys" };
    private static readonly Option<bool> WithoutUsage = new("--without-usage") { Description = "Without what was used, which grows with time" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Into a cluster in use: what the backup names is afterwards as the backup says" };

    public static Command CreateBackup(RootCommands.Runner run)
    {
        Command command = new("backup", "Policies, keys (hashes), enrolments, names of models and usage into a file; no weights, no secrets") { File, WithoutUsage };
        run.Set(command, BackupAsync);
        return command;
    }

    public static Command CreateRestore(RootCommands.Runner run)
    {
        Command command = new("restore", "Puts a backup back; says which weights are missing") { File, Overwrite };
        run.Set(command, RestoreAsync);
        return command;
    }

    private static async Task BackupAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        FileInfo file = parsed.GetRequiredValue(File);
        // Under its name it is whole, and what stood there before stays until then.
        string part = file.FullName + ".part";
        JsonElement header;
        try
        {
            await using (FileStream stream = SecretFile.Create(part))
            {
                await edge.DownloadAsync(parsed.GetValue(WithoutUsage) ? "cluster/backup?usage=false" : "cluster/backup", stream, cancellationToken);
                header = await HeaderAsync(stream, cancellationToken);
            }
            System.IO.File.Move(part, file.FullName, overwrite: true);
        }
        finally
        {
            System.IO.File.Delete(part);
        }
        foreach (JsonElement name in header.Items("left_out"))
            screen.Note($"left out: {name.GetString()} cannot be read");
        if (screen.IsJson)
            screen.PrintJson(header);
        else
            screen.Line(file.FullName);
    }

    private static async Task<JsonElement> HeaderAsync(FileStream stream, CancellationToken cancellationToken)
    {
        stream.Position = 0;
        using StreamReader reader = new(stream, leaveOpen: true);
        try
        {
            return JsonElement.Parse(await reader.ReadLineAsync(cancellationToken) ?? "").Member("value");
        }
        catch (JsonException e)
        {
            throw new IOException("what the edge sent is no backup", e);
        }
    }

    /// <returns>1 where a model does not stand because content of it is missing, so that a script can tell.</returns>
    private static async Task<int> RestoreAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        FileInfo file = parsed.GetRequiredValue(File);
        if (!file.Exists)
            throw new IOException($"there is no file {file}");
        await using FileStream stream = file.OpenRead();
        using StreamContent content = new(stream) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-ndjson") } };
        JsonElement answer = await edge.CallAsync(HttpMethod.Post, parsed.GetValue(Overwrite) ? "cluster/restore?overwrite=true" : "cluster/restore", content, cancellationToken);
        if (screen.IsJson)
            screen.PrintJson(answer);
        else
            Print(screen, answer);
        return answer.Items("missing").Any() ? ExitCode.Failed : ExitCode.Done;
    }

    private static void Print(Screen screen, JsonElement answer)
    {
        foreach (string name in (string[])["policies", "drains", "revocations", "keys", "enrolments", "usage_days"])
            screen.Line($"{name.Replace('_', ' '),-11}  {answer.Shown(name)}");
        screen.Line($"models       {answer.Items("models").Count()}");
        foreach (JsonElement worker in answer.Items("revoked_workers"))
            screen.Note($"worker {worker.GetString()} has been revoked and is not let in again");
        foreach (JsonElement name in answer.Items("left_out"))
            screen.Note($"model {name.GetString()} is not in the backup: it could not be read then");
        foreach (JsonElement model in answer.Items("missing"))
        {
            foreach (JsonElement blob in model.Items("blobs"))
                screen.Note($"model {model.Shown("name")} does not stand: {blob.Shown("digest")} ({blob.ShownBytes("bytes")}) is missing; pull or upload it and restore again");
        }
    }
}
