using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OllamaMax.LocalHost.Data;

/// <summary>Ports of the loopback that the system has chosen once and that are taken again, each in a file: other boxes reach them through tunnels that know their numbers.</summary>
internal sealed class KeptPorts(string folder)
{
    /// <summary>The one of before where it is free; 0 where it is not, or there was none.</summary>
    public int Find(string name)
    {
        string file = Path.Combine(folder, name);
        return File.Exists(file)
            && int.TryParse(File.ReadAllText(file), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is > 0 and <= IPEndPoint.MaxPort
            && IsFree(port) ? port : 0;
    }

    public void Keep(string name, int port) => File.WriteAllText(Path.Combine(folder, name), port.ToString(CultureInfo.InvariantCulture));

    private static bool IsFree(int port)
    {
        try
        {
            using TcpListener probe = new(IPAddress.Loopback, port);
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
