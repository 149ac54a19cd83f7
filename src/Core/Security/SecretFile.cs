using System.Text;

namespace OllamaMax.Security;

/// <summary>Files that their owner alone can read.</summary>
public static class SecretFile
{
    /// <summary>Empties it where it is there.</summary>
    public static FileStream Create(string file)
    {
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.ReadWrite };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new(file, options);
    }

    /// <summary>Whole or not at all: a kill, a full disk or a power cut in between must not leave half a secret behind.</summary>
    public static void Write(string file, string secret)
    {
        string whole = file + ".new";
        using (FileStream stream = Create(whole))
        {
            stream.Write(Encoding.UTF8.GetBytes(secret));
            stream.Flush(flushToDisk: true);
        }
        File.Move(whole, file, overwrite: true);
    }
}
