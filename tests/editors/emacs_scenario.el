;;; What a person does in Emacs, done without one. Tells what happened as lines of JSON.  -*- lexical-binding: t -*-

(setq inhibit-message t
      eglot-sync-connect 300
      eglot-connect-timeout 300
      make-backup-files nil
      auto-save-default nil)
(with-eval-after-load 'jsonrpc
  (setq jrpc-default-request-timeout 300
        jsonrpc-default-request-timeout 300))

(defun tell (what value)
  (princ (concat (json-encode (list (cons what value))) "\n") #'external-debugging-output))

(defun until (check)
  "The value of CHECK as soon as it is one; messages are handled meanwhile."
  (let ((end (+ (float-time) 300)) found)
    (while (and (not (setq found (funcall check))) (< (float-time) end))
      (accept-process-output nil 0.05))
    (or found (error "It did not happen"))))

(defun apropos-lines (query)
  "What `xref-find-apropos' lists for QUERY, in the order of the server."
  (mapcar #'substring-no-properties (mapcar #'xref-item-summary (xref-backend-apropos 'eglot query))))

(defun listed ()
  (with-current-buffer "*c2llm*" (buffer-substring-no-properties (point-min) (point-max))))

(defun action-titles ()
  (mapcar (lambda (action) (plist-get action :title)) (eglot-code-actions (point) (point))))

(find-file (expand-file-name "app/invoices.py" (getenv "PROJECT")))
(call-interactively #'eglot)
(let ((server (until #'eglot-current-server)))
  (tell "server" (plist-get (eglot--server-info server) :name))
  (until (lambda () (seq-find (lambda (line) (string-match-p "apply_ignore_rules" line))
                              (apropos-lines "ignore rules path"))))
  (tell "apropos" (apropos-lines "ignore rule excludes the path"))

  ;; An edit is found before it is saved, and forgotten when it is taken back.
  (goto-char (point-max))
  (insert "\n\ndef shrink_picture(picture, width):\n    \"\"\"Makes a picture smaller 🎉.\"\"\"\n    return picture.resize(width)\n")
  (tell "unsaved" (until (lambda ()
                           (eglot--signal-textDocument/didChange)
                           (seq-find (lambda (line) (string-match-p "shrink_picture" line))
                                     (apropos-lines "make a picture smaller")))))

  ;; The commands of the page.
  (eglot--signal-textDocument/didChange)
  (c2llm-search "make a picture smaller")
  (tell "search" (listed))
  (let ((file (current-buffer)))
    (with-current-buffer "*c2llm*" (let ((inhibit-read-only t)) (erase-buffer)))
    (with-current-buffer (get-buffer-create "*xref*")
      (setq default-directory "/")
      (c2llm-search "make a picture smaller"))
    (tell "from_xref" (listed))
    (set-buffer file))
  (save-window-excursion (with-current-buffer "*c2llm*" (next-error 1 t)))
  (tell "visited" (with-current-buffer (find-buffer-visiting (expand-file-name "app/invoices.py" (getenv "PROJECT")))
                    (line-number-at-pos)))
  (set-buffer (find-buffer-visiting (expand-file-name "app/invoices.py" (getenv "PROJECT"))))
  (goto-char (point-max))
  (search-backward "return picture")
  (c2llm-similar)
  (tell "similar" (listed))
  (c2llm-context "which files are left out")
  (tell "context" (substring-no-properties (current-kill 0)))

  ;; Code actions.
  (tell "actions" (action-titles))
  (let ((action (seq-find (lambda (a) (equal (plist-get a :title) "Find similar code"))
                          (eglot-code-actions (point) (point)))))
    (when action
      (let ((command (plist-get action :command)))
        (eglot-execute-command server (intern (plist-get command :command)) (plist-get command :arguments)))
      (until (lambda () (with-current-buffer (messages-buffer)
                          (save-excursion (goto-char (point-min)) (search-forward "Similar code:" nil t)))))
      (tell "told" (with-current-buffer (messages-buffer) (buffer-substring-no-properties (point-min) (point-max))))))

  ;; Settings, changed while it runs.
  (tell "hits" (length (plist-get (c2llm--ask :c2llm/search :query "price path queue request") :hits)))
  (setq-default eglot-workspace-configuration '(:c2llm (:results 2)))
  (eglot-signal-didChangeConfiguration server)
  (tell "fewer" (until (lambda ()
                         (let ((hits (plist-get (c2llm--ask :c2llm/search :query "price path queue request") :hits)))
                           (and (= (length hits) 2) 2)))))

  ;; A file in a new folder, made outside of Emacs.
  (let ((folder (expand-file-name "later/on" (getenv "PROJECT"))))
    (make-directory folder t)
    (with-temp-file (expand-file-name "clock.py" folder)
      (insert "def tell_the_hour(clock):\n    \"\"\"Reads the hour from a clock on the wall.\"\"\"\n    return clock.hour\n")))
  (tell "outside" (until (lambda () (seq-find (lambda (line) (string-match-p "tell_the_hour" line))
                                              (apropos-lines "hour clock wall")))))

  (set-buffer-modified-p nil)
  (eglot-shutdown server)
  (tell "ended" (not (jsonrpc-running-p server))))
