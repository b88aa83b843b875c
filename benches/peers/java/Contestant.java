import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An engine that runs whole instances as it is told: lines `PROCESS THREADS SECONDS` come in, and for each a line goes out:
 * instances per second and the 99th of a hundred completions of a task in milliseconds.
 */
abstract class Contestant {
    abstract void deploy(String name, String xml);

    /** Starts an instance; returns its id. */
    abstract String start(String process, Map<String, Object> variables);

    /** The id of its only open task, by a query; null if there is none. */
    abstract String task(String instance);

    abstract void complete(String task);

    /** A pool that no thread has to wait for: one connection for its work, one for ids, and some to spare. */
    static HikariDataSource pool(String url) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(url);
        pool.setMaximumPoolSize(36);
        return pool;
    }

    void attend(Path models) throws Exception {
        try (var files = Files.list(models)) {
            for (Path file : files.toList()) deploy(file.getFileName().toString(), Files.readString(file));
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            System.out.println(measure(words[0], Integer.parseInt(words[1]), Double.parseDouble(words[2])));
        }
        System.exit(0);
    }

    private String measure(String process, int threads, double seconds) throws Exception {
        AtomicLong instances = new AtomicLong();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(threads);
        long[][] taken = new long[threads][];
        long begun = System.nanoTime();
        long until = begun + (long) (seconds * 1e9);
        for (int thread = 0; thread < threads; thread++) {
            int number = thread;
            new Thread(() -> {
                long[] times = new long[1 << 16];
                int count = 0;
                try {
                    while (System.nanoTime() < until) {
                        String instance = start(process, Map.of("count", 0));
                        while (process.equals("user3")) {
                            String task = task(instance);
                            if (task == null) break;
                            long from = System.nanoTime();
                            complete(task);
                            times[count++ % times.length] = System.nanoTime() - from;
                        }
                        instances.incrementAndGet();
                    }
                } catch (Throwable thrown) {
                    failure.set(thrown);
                }
                taken[number] = Arrays.copyOf(times, Math.min(count, times.length));
                done.countDown();
            }).start();
        }
        done.await();
        if (failure.get() != null) throw new Exception(failure.get());
        double rate = instances.get() / ((System.nanoTime() - begun) / 1e9);
        long[] all = Arrays.stream(taken).flatMapToLong(Arrays::stream).sorted().toArray();
        double p99 = all.length == 0 ? 0 : all[all.length * 99 / 100] / 1e6;
        return rate + " " + p99;
    }
}
